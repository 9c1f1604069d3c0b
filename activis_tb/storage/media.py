"""What encoded pictures and sounds are, by their first bytes."""

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
    """Returns the MIME type of an encoded picture or sound that browsers show; None where it is nothing of the kind."""
    if content[:4] == b"RIFF":
        return _RIFF.get(content[8:12])
    return next((named for signature, named in _SIGNATURES if content.startswith(signature)), None)
