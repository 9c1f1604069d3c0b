"""How a snapshot is found among TensorBoard's summaries: plugin name, tag, version.

Light on purpose: TensorBoard imports it when it starts, so nothing generated and no NumPy here.
"""

import re
from typing import NamedTuple

PLUGIN_NAME = "activis"
FORMAT_VERSION = 2
"""The newest that is read; a manifest says the oldest that it needs, see `encoding.version_of`."""
OLDEST_VERSION = 1
SUBRUN = "activis"
"""`preprocess` and the callback write below the log directory of the run, in this folder of their own."""

_TAG = re.compile(rf"{PLUGIN_NAME}/(?P<name>.*)/(?P<step>-?\d{{1,19}})/(?P<session>\d{{1,19}})", re.ASCII | re.DOTALL)


class SnapshotTag(NamedTuple):
    """The tag `activis/<name>/<step>/<session>`, one per snapshot and recording session."""

    name: str
    step: int
    session: int

    def __str__(self) -> str:
        return f"{PLUGIN_NAME}/{self.name}/{self.step}/{self.session}"


def parse_tag(tag: str) -> SnapshotTag | None:
    """Returns the parts of a snapshot's tag, or None where `tag` is not one. A name may contain slashes."""
    found = _TAG.fullmatch(tag)
    if found is None:
        return None
    parsed = SnapshotTag(found["name"], int(found["step"]), int(found["session"]))
    fits = -(2**63) <= parsed.step < 2**63 and parsed.session < 2**63
    return parsed if fits and str(parsed) == tag else None


UNSERVED_CHARACTERS = "double quotes, backslashes or control characters"
_UNSERVED = re.compile(r'["\\\x00-\x1f]')


def is_served(name: str) -> bool:
    """Tells whether TensorBoard's data server, its default loader, gives the data of a run or a tag of that name.

    It asks for them by a JSON text that it can read only where nothing in it is written by an escape.
    """
    return _UNSERVED.search(name) is None
