"""What the processes of a test run share among them."""

from pathlib import Path

import pytest

from tests.conftest import LONGEST, unit_of

ROOT = Path(__file__).resolve().parents[2]
WALK = "tests/end_to_end/test_paper_walk.py"


@pytest.mark.parametrize(
    ("test", "unit"),
    [
        (f"{WALK}::test_the_walk[trec-1280-light]", "trec"),
        ("tests/end_to_end/test_subsets.py::test_a_wrong_word_is_named_and_mended_by_a_click[grammar]", "grammar"),
        (f"{WALK}::test_a_click[grammarian]", WALK),
        (f"{WALK}::test_a_click[light-trec]", WALK),
        ("tests/unit/demo/test_trec.py::test_it[trec]", "tests/unit/demo/test_trec.py"),
    ],
)
def test_a_recording_that_files_share_is_one_unit_and_a_file_is_another(test: str, unit: str) -> None:
    assert unit_of(test) == unit


def test_what_is_begun_first_is_there() -> None:
    assert [name for name in LONGEST[2:] if not (ROOT / name).is_file()] == []
