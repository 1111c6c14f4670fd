"""Bytes to lines, however they are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexgate.mcp_proxy.limits import EDGE_BYTES
from hexgate.mcp_proxy.lines import Line, LineReader, TooLong


def read(chunks: list[bytes], limit: int = 10) -> list[Line]:
    reader = LineReader(limit)
    return [line for chunk in chunks for line in reader.feed(chunk)] + list(reader.end())


LINES: list[tuple[list[bytes], list[Line]]] = [
    # chunks, lines (a line has at most 10 bytes)
    ([], []),
    ([b""], []),
    ([b"a\nb\n"], [b"a", b"b"]),
    ([b"a", b"b\nc"], [b"ab", b"c"]),
    ([b"a\r\nb\r", b"\n"], [b"a", b"b"]),
    ([b"\n\n\r\na\n"], [b"a"]),
    ([b"0123456789\n"], [b"0123456789"]),
    ([b"0123456789a\nb\n"], [TooLong(b"0123456789a", b"0123456789a"), b"b"]),
    ([b"01234", b"56789", b"ab", b"cd\nb\n"], [TooLong(b"0123456789abcd", b"0123456789abcd"), b"b"]),
    ([b"x" * 5000 + b"end"], [TooLong(b"x" * EDGE_BYTES, (b"x" * 5000 + b"end")[-EDGE_BYTES:])]),
]


@pytest.mark.parametrize(("chunks", "lines"), LINES, ids=range(len(LINES)))
def test_lines(chunks: list[bytes], lines: list[Line]) -> None:
    assert read(chunks) == lines


@given(st.lists(st.binary(max_size=12)), st.data())
def test_how_bytes_are_cut_makes_no_difference(lines: list[bytes], data: st.DataObject) -> None:
    whole = b"\n".join(lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)))))
    chunks = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert read(chunks) == read([whole])


def test_a_long_line_is_not_kept() -> None:
    reader = LineReader(1_000)
    for _ in range(1_000):
        assert list(reader.feed(b"x" * 1_000)) == []
    assert sum(map(len, reader._parts)) <= 1_000
    assert len(reader._head) == len(reader._tail) == EDGE_BYTES
