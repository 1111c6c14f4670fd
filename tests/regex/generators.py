"""Patterns and texts made up from a seed, for comparison with RE2: well-formed ones, and strings of metacharacters."""

from __future__ import annotations

from random import Random

LETTERS = "abckKsSxyzAZ019_- \n\t\x00\x7f"
FAR = "\x80éßſµÅαΣςσКкKÅ᲻ẞ\u0345\u0399\u1fbe\u07ff\u0800\u2028\ud7ff\ue000\ufeff\ufffd\uffff\U00010000\U00010400\U00010428\U0001f600\U0010ffff"
CLASS_PARTS = (
    r"\d", r"\D", r"\s", r"\S", r"\w", r"\W", "[:alpha:]", "[:^digit:]", "[:word:]", "[:space:]", "[:punct:]", "[:upper:]",
    r"\pL", r"\PL", r"\p{Lu}", r"\P{^Ll}", r"\p{Greek}", r"\p{^Cyrillic}", r"\pN", r"\p{Any}", r"\x41", r"\x{2028}", r"\n", r"\-", r"\]",
    r"\x{212a}", r"\x{17f}", r"\x{10ffff}", r"\x{d800}", "a-c", "k-s", "A-Z", "Ss", "Kk", "kK", "0-9", "-", "^", "[", "\x00-\x20", "\x7f-\x80",
    "߿-ࠀ", "\ud7ff-\ue000", "\uffff-\U00010000", "α-ω",
)  # fmt: skip
ATOMS = (
    ".", "^", "$", r"\A", r"\z", r"\b", r"\B", r"\d", r"\W", r"\w", r"\S", r"\pL", r"\PN", r"\p{Greek}", r"\P{Lu}", "(?:)", "()",
    "[Kk]", "[sS]", "[Kk]", "(?i:k)", "(?s:.)", "(?m:^)", "(?m:$)", r"\Qa.b\E", r"\x{1F600}", r"\101", r"\.", "[^a]", "[^\\x00-\\x{10FFFF}]",
)  # fmt: skip
REPETITIONS = (
    "*",
    "+",
    "?",
    "*?",
    "+?",
    "??",
    "{0}",
    "{1}",
    "{2}",
    "{0,1}",
    "{1,3}",
    "{2,}",
    "{0,}",
    "{2,3}?",
    "{3}?",
    "{0,4}",
    "{1,6}",
    "{0,3}",
)
FLAGS = ("i", "m", "s", "U", "-i", "i-s", "ms", "-m", "im-sU")
PIECES = (
    *"abkKsS01.^$|()[]{}*+?\\-,:<>=!PQEi\n", *FAR[:12], "(?", "(?:", "(?i)", "(?P<n>", "(?<n>", "(?<é1>", "(?-", "(?i:", "\\p", "\\pL", "\\p{", "\\p{^",
    "Greek}", "Lu}", "[:", ":]", "[:alpha:]", "[[:", "[^", "[]", "\\Q", "\\E", "\\x", "\\x{", "41", "10FFFF}", "\\0", "\\1", "\\12", "\\b", "\\B", "\\A",
    "\\z", "\\Z", "\\d", "\\D", "\\w", "\\s", "\\n", "\\u0041", "\\_", "\\/", "{2}", "{2,", "{,3}", "{0,1000}", "{1001}", "{10}", "{100}", "{01}", "??",
    "*?", "a-z", "z-a", "--", "-]", "\\-", "\\]", "(?=", "(?!", "(?<=", "(?>", "(?#", "(?P=n)", "(?P>n)", "(?s-i:", "(?U)", ")*", "){2}", "|(",
)  # fmt: skip


def make_pattern(random: Random, depth: int = 4) -> str:
    """A pattern that RE2 mostly accepts."""
    choice = random.random()
    if depth == 0 or choice < 0.3:
        return _atom(random)
    if choice < 0.55:
        return "".join(make_pattern(random, depth - 1) for _ in range(random.randint(2, 4)))
    if choice < 0.75:
        alternatives = [make_pattern(random, depth - 1) for _ in range(random.randint(2, 4))]
        if random.random() < 0.4:
            prefix = _atom(random)
            alternatives = [prefix + one for one in alternatives]
        return f"{_open(random)}{'|'.join(alternatives)})"
    if choice < 0.92:
        return f"{_open(random)}{make_pattern(random, depth - 1)}){random.choice(REPETITIONS)}"
    return f"(?{random.choice(FLAGS)}){make_pattern(random, depth - 1)}"


def _open(random: Random) -> str:
    return random.choice(("(?:", "(?:", "(?:", "(", f"(?{random.choice(FLAGS)}:"))


def _atom(random: Random) -> str:
    choice = random.random()
    if choice < 0.45:
        return "".join(_quoted(_character(random)) for _ in range(random.randint(1, 3)))
    if choice < 0.75:
        return random.choice(ATOMS)
    parts = "".join(_class_part(random) for _ in range(random.randint(1, 3)))
    return f"[{random.choice(('', '', '^'))}{parts}]"


def _class_part(random: Random) -> str:
    if random.random() < 0.5:
        part = random.choice(CLASS_PARTS)
        return f"[{part}]" if part.startswith("[:") and random.random() < 0.1 else part
    low, high = sorted((_character(random), _character(random)))
    return f"\\x{{{ord(low):x}}}" + (f"-\\x{{{ord(high):x}}}" if random.random() < 0.4 else "")


def _character(random: Random) -> str:
    choice = random.random()
    if choice < 0.7:
        return random.choice(LETTERS[:12])
    return random.choice(LETTERS if choice < 0.85 else FAR)


def _quoted(character: str) -> str:
    return "\\" + character if character in "-" else character


def make_soup(random: Random) -> str:
    """A string of pieces that mean something to RE2, in any order: mostly refused."""
    return "".join(random.choice(PIECES) for _ in range(random.randint(1, 9)))


def make_text(random: Random, pattern: str) -> str:
    """A text of characters that the pattern names, and of those next to the bounds of ranges and of encodings."""
    named = [character for character in pattern if not "\ud800" <= character <= "\udfff"] or ["a"]
    length = random.choice((0, 1, 1, 2, 2, 3, 4, 5, 8, 12))
    characters = []
    for _ in range(length):
        choice = random.random()
        if choice < 0.1:
            characters.append(random.choice("\n\n a"))
        elif choice < 0.5:
            characters.append(random.choice(named))
        elif choice < 0.85:
            characters.append(_character(random))
        else:
            near = ord(random.choice(named)) + random.choice((-1, 1, 32, -32))
            characters.append(chr(near) if 0 <= near < 0xD800 else "\U0001f601")
    return "".join(characters)


TWO_CASE_ATOMS = ("[Kk]", "[sS]", "k", "K", "a", "ak", "[Aa]", "[ab]", r"\d", "^", "$", r"\b", "(?i:a)", "(?i:1)", "1", "(?s:.)", ".", "", "(k)", "x{2}", "x{2}?", "[Kk]{2}", "(?i:ſ)", ".{0,3}", "[ak]{0,4}")  # fmt: skip


def make_two_case_alternation(random: Random, depth: int = 3) -> str:
    """A pattern of nested alternations around classes such as `[Kk]`, which RE2 rewrites as it parses them."""
    if depth == 0:
        return "".join(random.choice(TWO_CASE_ATOMS) for _ in range(random.randint(1, 3)))
    parts = []
    for _ in range(random.randint(1, 4)):
        if random.random() < 0.4:
            inner = make_two_case_alternation(random, depth - 1)
            opening, loop = random.choice(("(?:", "(?:", "(?:", "(", "(?i:")), random.choice(("", "", "", "*", "{2}"))
            part = f"{opening}{inner}){loop}"
        else:
            part = random.choice(TWO_CASE_ATOMS)
        parts.append("".join((random.choice(("", "", "a", "[Kk]")), part, random.choice(("", "", "x", "[Ss]")))))
    return random.choice(("|", "|", "|", "")).join(parts)


def make_two_case_text(random: Random) -> str:
    """A short text of the characters that matter to those, U+212A and U+017F among them."""
    return "".join(random.choice("kKsSaAx1\u212a\u017fb\n") for _ in range(random.randint(1, 6)))


POSITION_ATOMS = ("^", "$", r"\A", r"\z", r"\b", r"\B", "a", "b", r"\n", "é", ".", r"\w", r"\W", "[^a]", "", "a?", "b*", r"\b*", "(?:^|a)", r"(?:$|\b)")  # fmt: skip


def make_position_pattern(random: Random, depth: int = 2) -> str:
    """A short pattern of assertions among few characters."""
    parts = []
    for _ in range(random.randint(1, 4)):
        if depth and random.random() < 0.3:
            opening = random.choice(("(?:", "(?m:", "(?-m:", "(?s:"))
            part = f"{opening}{make_position_pattern(random, depth - 1)}){random.choice(('', '', '*', '?', '{2}', '{0,2}'))}"
        else:
            part = random.choice(POSITION_ATOMS)
        parts.append(part)
    return random.choice(("", "(?m)", "(?m)")) + random.choice(("", "", "|")).join(parts)


def make_position_text(random: Random) -> str:
    """A short text of word characters, others, and line ends."""
    return "".join(random.choice("aab\n\né -") for _ in range(random.randint(0, 6)))
