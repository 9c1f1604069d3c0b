"""Whether whoever began to write something is still there: what a killed recording leaves is told from a live one's."""

import os
import socket
import time

_STALE_SECONDS = 24 * 3600


def owner() -> str:
    """Returns what names this process among those that share the file system: `<host>-<pid>`."""
    return f"{socket.gethostname()}-{os.getpid()}"


def is_gone(owner: str, touched: float) -> bool:
    """Tells whether `owner` has ended: a dead process of this host, or one that has been silent for a day.

    Args:
        owner: What `owner()` returned there.
        touched: When it last gave a sign of life, seconds since 1970.

    Raises:
        ValueError: `owner` is nothing of the kind.
    """
    if time.time() - touched > _STALE_SECONDS:
        return True
    host, separator, pid = owner.rpartition("-")
    if not separator:
        message = f"owner: got {owner!r}; expected <host>-<pid>."
        raise ValueError(message)
    return host == socket.gethostname() and not _alive(int(pid))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
