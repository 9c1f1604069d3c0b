"""The pages about conditions and keys have every one that there is."""

import re
from pathlib import Path

from activis_tb.conditions.schema import KEYWORDS, OUTCOME_TYPES

ROOT = Path(__file__).resolve().parents[2]


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def test_every_keyword_and_every_outcome_is_on_the_page_of_conditions() -> None:
    code = " ".join(re.findall(r"`([^`]+)`", page("conditions.md")))
    assert [word for word in {*KEYWORDS, "ESCAPE", *OUTCOME_TYPES} if not re.search(rf"\b{word}\b", code)] == []


def test_every_key_of_the_help_is_on_the_page_of_the_tab() -> None:
    sources = (
        path.read_text(encoding="utf-8") for path in (ROOT / "frontend" / "src" / "views" / "help").glob("*.ts*")
    )
    keys = {
        key
        for text in sources
        for keys in re.findall(r"keys: \[([^\]]*)\]", text)
        for key in re.findall(r'"([^"]+)"', keys)
    }
    listed = page("tab.md").partition("## Keys")[2]
    assert len(keys) > 8
    assert [
        key for key in keys if not re.search(rf"^\|.*(?<!\w){re.escape(key)}(?!\w).*\|.*\|", listed, flags=re.M)
    ] == []
