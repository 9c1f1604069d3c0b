from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.plugin.server import LOADERS, Server


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Tests neither find nor leave anything in the user's cache."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("ACTIVIS_CACHE", str(folder))
    return folder


@pytest.fixture(params=LOADERS)
def serve(request: pytest.FixtureRequest) -> Iterator[Callable[..., Server]]:
    """Serves a log directory by each loader; `serve(logdir, snapshots=3)` waits until 3 snapshots are there."""
    servers: list[Server] = []

    def start(logdir: Path, snapshots: int | None = None, prefix: str = "") -> Server:
        servers.append(Server(logdir, request.param, prefix))
        if snapshots is not None:
            servers[-1].wait_for_snapshots(snapshots)
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def serve_slow() -> Callable[[Path], Server]:
    """Serves a log directory by the multiplexer alone, where the loader does not matter."""
    return lambda logdir: Server(logdir, "slow")
