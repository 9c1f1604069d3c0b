"""Where third-party data for tests is: $ACTIVIS_TEST_DATA, else `shared/data` beside the checkout; may be absent."""

import os
from pathlib import Path

TEST_DATA = Path(os.environ.get("ACTIVIS_TEST_DATA") or Path(__file__).resolve().parents[1].parent / "shared" / "data")
TREC = TEST_DATA / "trec"
ADULT = TEST_DATA / "adult"
