"""Write the table of boundaries into docs/adapters.md: `python -m tests.adapters.write_boundaries`."""

from __future__ import annotations

from pathlib import Path

from tests.adapters.boundaries import boundary_table

PAGE = Path(__file__).parents[2] / "docs" / "adapters.md"
BEGIN, END = "<!-- boundaries -->\n", "<!-- end of boundaries -->\n"


def page_with_table(page: str) -> str:
    """The page with the table between its two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{boundary_table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page_with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
