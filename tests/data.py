"""Third-party test data under the folder that $ACTIVIS_TEST_DATA names.

A test that needs files that are not there is skipped; the summary of a run says so in one line.
"""

import os
from pathlib import Path

import pytest

TEST_DATA = Path(os.environ.get("ACTIVIS_TEST_DATA") or os.devnull)
TREC = TEST_DATA / "trec"
ADULT = TEST_DATA / "adult"


def needed(path: Path) -> Path:
    """Returns `path`; skips the test where there is no such file or folder."""
    if not path.exists():
        pytest.skip("third-party data is missing: ACTIVIS_TEST_DATA=FOLDER names its folder (see CONTRIBUTING.md)")
    return path
