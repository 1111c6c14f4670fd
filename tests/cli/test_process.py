"""The command as its own process: what only a process shows."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.main import SUBCOMMANDS

COMMAND = [sys.executable, "-m", "hexgate_cli"]
ROOT = Path(__file__).parents[2]


def run(*arguments: str, stdin: bytes = b"", **environ: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **environ}
    return subprocess.run([*COMMAND, *arguments], input=stdin, capture_output=True, env=environment, timeout=60)


def test_help_lists_every_command_and_every_exit_code() -> None:
    done = run("--help")
    text = done.stdout.decode()
    assert done.returncode == 0
    assert done.stderr == b""
    column = max(map(len, SUBCOMMANDS)) + 2
    for name, subcommand in SUBCOMMANDS.items():
        assert f"  {name:<{column}}{subcommand.summary}" in text
    for code in ExitCode:
        assert f"    {code.value:<4} {code.meaning}" in text


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_help_of_a_command_says_its_exit_codes(name: str) -> None:
    done = run(name, "--help", COLUMNS="200")
    text = done.stdout.decode()
    assert done.returncode == 0
    assert SUBCOMMANDS[name].summary in text
    for code in SUBCOMMANDS[name].exit_codes:
        assert f"    {code.value:<4} {code.meaning}" in text


def test_every_exit_code_has_a_meaning() -> None:
    assert all(code.meaning for code in ExitCode)
    assert {code.value for code in ExitCode} == {0, 1, 2, 3, 4, 5, 6, 130, 141}


def test_help_loads_no_parser_engine_or_renderer() -> None:
    source = (
        "import sys; from hexgate_cli.main import run_command; code = run_command(['--help']);"
        "print(code, sorted({'lark', 'yaml', 'wasmtime', 'rich', 'jsonschema', 'cryptography', 're2', 'ormsgpack'} & set(sys.modules)),"
        " file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, cwd=ROOT, timeout=60)
    assert done.stderr.decode() == "0 []\n"


def test_a_reader_that_goes_away_ends_the_command_quietly() -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run([*COMMAND, "--help"], stdout=write, stderr=subprocess.PIPE, cwd=ROOT, timeout=60)
    finally:
        os.close(write)
    assert done.stderr == b""
    assert done.returncode == ExitCode.BROKEN_PIPE


def test_output_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    shell = f"ulimit -f 0; exec {sys.executable} -m hexgate_cli --help > {tmp_path}/out"
    done = subprocess.run(["sh", "-c", shell], capture_output=True, cwd=ROOT, timeout=60)
    assert done.stderr == b"hexgate: error: the output cannot be written: file too large\n"
    assert done.returncode == ExitCode.FAILURE


CLOSED = [
    ("--version >&-", 0, b""),
    ("chekc 2>&-", 2, b""),
    ("eval --batch <&-", 2, b"hexgate: error: standard input is closed\n"),
]


@pytest.mark.parametrize(("line", "status", "err"), CLOSED)
def test_closed_streams_are_no_traceback(line: str, status: int, err: bytes) -> None:
    shell = f"exec {sys.executable} -m hexgate_cli {line}"
    done = subprocess.run(["sh", "-c", shell], capture_output=True, cwd=ROOT, timeout=60)
    assert (done.returncode, done.stderr) == (status, err)


def test_an_interrupt_is_a_sentence_and_130() -> None:
    process = subprocess.Popen(
        [*COMMAND, "eval", "--batch", "--engine", "interpreter"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        # A shell starts its background jobs with interrupts ignored, and their children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b'{"expr": "1"}\n')
    process.stdin.flush()
    assert json.loads(process.stdout.readline()) == {"value": 1, "type": "int", "text": "1"}
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert err == b"hexgate: error: interrupted\n"
    assert process.returncode == ExitCode.INTERRUPTED


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_any_encoding_can_show_any_value(encoding: str) -> None:
    done = run("eval", "x", "--engine", "interpreter", "--bind", r'x="日\ud83d\ude00\u202e"', PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    expected = {"utf-8": '"日😀\\u202e"  string\n', "ascii": '"\\u65e5\\U0001f600\\u202e"  string\n'}
    assert done.stdout.decode(encoding) == expected.get(encoding, expected["ascii"])


def test_output_that_is_no_terminal_has_no_colour() -> None:
    done = run("eval", "1 +", NO_COLOR="", TERM="xterm-256color")
    assert done.returncode == ExitCode.POLICY_INVALID
    assert b"\x1b" not in done.stderr + done.stdout


def test_file_names_that_are_not_unicode_are_shown_escaped(tmp_path: Path) -> None:
    name = os.fsdecode(bytes(tmp_path) + b"/\xff.yaml")
    done = run("check", name)
    assert done.returncode == ExitCode.USAGE
    assert "/\\udcff.yaml`\n" in done.stderr.decode()
