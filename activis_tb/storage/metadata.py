"""How a snapshot is found among TensorBoard's summaries: plugin name, tag, version.

Light on purpose: TensorBoard imports it when it starts, so nothing generated and no NumPy here.
"""

from typing import NamedTuple

PLUGIN_NAME = "activis"
FORMAT_VERSION = 1
SUBRUN = "activis"
"""`preprocess` and the callback write below the log directory of the run, in this folder of their own."""


class SnapshotTag(NamedTuple):
    """The tag `activis/<name>/<step>/<session>`, one per snapshot and recording session."""

    name: str
    step: int
    session: int

    def __str__(self) -> str:
        return f"{PLUGIN_NAME}/{self.name}/{self.step}/{self.session}"


def parse_tag(tag: str) -> SnapshotTag | None:
    """Returns the parts of a snapshot's tag, or None where `tag` is not one. A name may contain slashes."""
    prefix, _, rest = tag.partition("/")
    parts = rest.rsplit("/", 2)
    if prefix != PLUGIN_NAME or len(parts) != len(SnapshotTag._fields):
        return None
    name, step, session = parts
    try:
        return SnapshotTag(name, int(step), int(session))
    except ValueError:
        return None
