"""Metadata by which a snapshot is found among TensorBoard's summaries, and the formats of pictures and sounds.

TensorBoard imports this at startup: no NumPy and no generated module here.
"""

import re
from typing import NamedTuple

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"ID3\x02", "audio/mpeg"),
    (b"ID3\x03", "audio/mpeg"),
    (b"ID3\x04", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\xff\xf2", "audio/mpeg"),
    (b"OggS\x00", "audio/ogg"),
    (b"fLaC\x00", "audio/flac"),
    (b"fLaC\x80", "audio/flac"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
IMAGE_FORMATS = "PNG, JPEG, GIF or WebP"
AUDIO_FORMATS = "WAV, MP3, Ogg or FLAC"


def media_type(content: bytes) -> str | None:
    """Returns the MIME type of an encoded picture or sound that browsers show; None for anything else."""
    if content[:4] == b"RIFF":
        return _RIFF.get(content[8:12])
    return next((named for signature, named in _SIGNATURES if content.startswith(signature)), None)


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
    """Tells whether TensorBoard's data server, its default loader, can serve a run or a tag of that name.

    It parses blob keys as JSON without unescaping, so names with characters that JSON escapes fail.
    """
    return _UNSERVED.search(name) is None
