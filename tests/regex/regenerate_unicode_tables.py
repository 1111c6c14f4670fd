"""Writes hexgate/regex/unicode_groups.txt and unicode_folds.txt from what the installed google-re2 matches.

Facts are taken by probing, group by group and character by character, so the tables agree with the RE2 that the
interpreter runs, whatever Unicode version Python's own `unicodedata` has. Run after an upgrade of google-re2:

    python -m tests.regex.regenerate_unicode_tables
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import re2

from hexgate.regex.ranges import normalise

TABLES = Path(__file__).parents[2] / "hexgate" / "regex"

CATEGORY_CANDIDATES = tuple(
    major + minor for major in string.ascii_uppercase for minor in ("", *string.ascii_lowercase, "&", "C")
)

_SCRIPTS = """
Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Bassa_Vah Batak Bengali Beria_Erfe Bhaiksuki
Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian Caucasian_Albanian Chakma Cham Cherokee Chorasmian
Common Coptic Cuneiform Cypriot Cypro_Minoan Cyrillic Deseret Devanagari Dives_Akuru Dogra Duployan
Egyptian_Hieroglyphs Elbasan Elymaic Ethiopic Garay Georgian Glagolitic Gothic Grantha Greek Gujarati Gunjala_Gondi
Gurmukhi Gurung_Khema Han Hangul Hanifi_Rohingya Hanunoo Hatran Hebrew Hiragana Imperial_Aramaic Inherited
Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kannada Katakana Katakana_Or_Hiragana Kawi Kayah_Li
Kharoshthi Khitan_Small_Script Khmer Khojki Khudawadi Kirat_Rai Lao Latin Lepcha Limbu Linear_A Linear_B Lisu Lycian
Lydian Mahajani Makasar Malayalam Mandaic Manichaean Marchen Masaram_Gondi Medefaidrin Meetei_Mayek Mende_Kikakui
Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi Mongolian Mro Multani Myanmar Nabataean Nag_Mundari Nandinagari
New_Tai_Lue Newa Nko Nushu Nyiakeng_Puachue_Hmong Ogham Ol_Chiki Ol_Onal Old_Hungarian Old_Italic Old_North_Arabian
Old_Permic Old_Persian Old_Sogdian Old_South_Arabian Old_Turkic Old_Uyghur Oriya Osage Osmanya Pahawh_Hmong Palmyrene
Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic Samaritan Saurashtra Sharada Shavian Siddham Sidetic
SignWriting Sinhala Sogdian Sora_Sompeng Soyombo Sundanese Sunuwar Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le
Tai_Tham Tai_Viet Tai_Yo Takri Tamil Tangsa Tangut Telugu Thaana Thai Tibetan Tifinagh Tirhuta Todhri Tolong_Siki Toto
Tulu_Tigalari Ugaritic Unknown Vai Vithkuqi Wancho Warang_Citi Yezidi Yi Zanabazar_Square
"""
SCRIPT_CANDIDATES = _SCRIPTS.split()
"""Every value of the Script property up to Unicode 17.0; those of later versions than RE2's are found to be missing."""

GROUPS_HEADER = """\
# General categories and scripts as the google-re2 package matches them (Unicode 15.1), found by probing with
# tests/regex/regenerate_unicode_tables.py. One group a line: its name, then its ranges in hexadecimal, each as the
# distance of its first code point from the end of the range before (from 0), and `+` its length less one.
# One-letter categories are the unions of their subcategories.
"""

FOLDS_HEADER = """\
# Characters that match each other under (?i) in the google-re2 package, found by probing with
# tests/regex/regenerate_unicode_tables.py. A line `first count step distance` (hexadecimal) stands for count pairs:
# first + i * step and that + distance. A line that begins with `=` lists one set of more than two.
"""


@cache
def options() -> re2.Options:
    """RE2's defaults, without its own log."""
    silent = re2.Options()
    silent.log_errors = False
    silent.max_mem = 1 << 28
    return silent


def is_accepted(pattern: str) -> bool:
    """Whether RE2 compiles a pattern."""
    try:
        re2.compile(pattern, options())
    except re2.error:
        return False
    return True


@cache
def every_character() -> str:
    """All Unicode scalar values in order."""
    return "".join(map(chr, scalars(range(0x110000))))


def scalars(code_points: Iterable[int]) -> Iterator[int]:
    """Code points without the surrogates."""
    return (c for c in code_points if not 0xD800 <= c <= 0xDFFF)


def matched_characters(pattern: str, text: str) -> set[int]:
    """The characters of a text that a one-character pattern matches."""
    runs = re2.compile(f"(?:{pattern})+", options()).findall(text)
    return {ord(character) for run in runs for character in run}


def group_ranges(name: str) -> list[tuple[int, int]]:
    """The ranges of a group, by RE2. Surrogates, which no text can hold, are the category Cs by definition."""
    if name == "Cs":
        return [(0xD800, 0xDFFF)]
    text = every_character()
    found = re2.compile(f"\\p{{{name}}}+", options()).finditer(text)
    ranges: list[tuple[int, int]] = []
    for match in found:
        low, high = ord(text[match.start()]), ord(text[match.end() - 1])
        ranges += [(low, 0xD7FF), (0xE000, high)] if low < 0xD800 <= high else [(low, high)]
    return ranges


def group_names() -> list[str]:
    """The groups that RE2 has and the table holds: scripts and two-letter categories."""
    names = [name for name in CATEGORY_CANDIDATES if len(name) > 1] + SCRIPT_CANDIDATES
    return sorted({name for name in names if is_accepted(f"\\p{{{name}}}")})


def cased_candidates() -> list[int]:
    """The characters that may have case: all that are assigned, without those of private use, Han and Hangul."""
    caseless = r"\pC\p{Han}\p{Hangul}"
    assigned = "".join(rf"\p{{{name}}}" for name in group_names() if len(name) == 2)
    matched = matched_characters(f"[{assigned}]", every_character())
    return sorted(matched - matched_characters(f"[{caseless}]", every_character()))


def folding_characters() -> list[int]:
    """The characters that match at least one other character under (?i), by RE2.

    Two characters differ in some bit. So for each bit, fold the characters that have it at 0, and look among those
    that have it at 1, and the other way round.
    """
    found: set[int] = set()
    candidates = cased_candidates()
    for bit in range(21):
        sides = [c for c in candidates if not c >> bit & 1], [c for c in candidates if c >> bit & 1]
        for side, other in (sides, sides[::-1]):
            if side and other:
                listed = "".join(f"\\x{{{low:x}}}-\\x{{{high:x}}}" for low, high in normalise((c, c) for c in side))
                found |= matched_characters(f"(?i)[{listed}]", "".join(map(chr, other)))
    return sorted(found)


@cache
def fold_sets() -> list[tuple[int, ...]]:
    """The sets of two or more characters that match each other under (?i), by RE2, by first member."""
    characters = folding_characters()
    text = "".join(map(chr, characters))
    return sorted({tuple(sorted(matched_characters(f"(?i)\\x{{{c:x}}}", text))) for c in characters})


def groups_table() -> str:
    """The text of unicode_groups.txt."""
    lines = []
    for name in group_names():
        fields, end = [name], 0
        for low, high in group_ranges(name):
            fields.append(f"{low - end:x}" + (f"+{high - low:x}" if high > low else ""))
            end = high
        lines.append(" ".join(fields))
    return GROUPS_HEADER + "\n".join(lines) + "\n"


def folds_table() -> str:
    """The text of unicode_folds.txt: runs of pairs first, as long as they go, then the larger sets."""
    sets = fold_sets()
    pairs = {one[0]: one[1] - one[0] for one in sets if len(one) == 2}
    lines = []
    while pairs:
        first = min(pairs)
        distance = pairs[first]
        runs = {step: run_length(pairs, first, step, distance) for step in (1, 2, 3, 4)}
        step = max(runs, key=lambda step: (runs[step], -step))
        for i in range(runs[step]):
            del pairs[first + i * step]
        lines.append(f"{first:x} {runs[step]:x} {step:x} {distance:x}")
    lines += ["= " + " ".join(f"{c:x}" for c in one) for one in sets if len(one) > 2]
    return FOLDS_HEADER + "\n".join(lines) + "\n"


def run_length(pairs: dict[int, int], first: int, step: int, distance: int) -> int:
    """How many pairs of one distance begin at first, first + step, and so on."""
    length = 0
    while pairs.get(first + length * step) == distance:
        length += 1
    return length


def main() -> None:
    (TABLES / "unicode_groups.txt").write_text(groups_table(), encoding="ascii")
    (TABLES / "unicode_folds.txt").write_text(folds_table(), encoding="ascii")


if __name__ == "__main__":
    main()
