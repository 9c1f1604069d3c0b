"""TensorBoard's application with the plugin in it, behind either of TensorBoard's loaders."""

import argparse
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.backend.application import TensorBoardWSGIApp
from tensorboard.backend.event_processing.data_ingester import LocalDataIngester
from tensorboard.data.server_ingester import SubprocessServerDataIngester, get_server_binary
from tensorboard.plugins.core.core_plugin import CorePluginLoader
from tensorboard.plugins.scalar.scalars_plugin import ScalarsPlugin
from tensorboard.util.grpc_util import ChannelCredsType
from werkzeug.test import Client, TestResponse

from activis_tb.plugin.plugin import ActivisPlugin

LOADERS = ("fast", "slow")
DEADLINE = 120.0


class Server:
    """A served log directory.

    Args:
        logdir: The log directory.
        loader: `fast`: the data server, as by default; `slow`: the multiplexer, as by --load_fast=false.
        prefix: As --path_prefix.
    """

    def __init__(self, logdir: Path, loader: str, prefix: str = "") -> None:
        flags = argparse.Namespace(
            logdir=str(logdir),
            logdir_spec="",
            path_prefix=prefix,
            samples_per_plugin={},
            window_title="",
            generic_data="auto",
            purge_orphaned_data=True,
            max_reload_threads=1,
            reload_multifile=False,
            detect_file_replacement=None,
            reload_interval=0,
            reload_task="blocking",
        )
        self.loader = loader
        if loader == "fast":
            self._ingester: Any = SubprocessServerDataIngester(
                get_server_binary(), str(logdir), reload_interval=1, channel_creds_type=ChannelCredsType.LOCAL
            )
        else:
            self._ingester = LocalDataIngester(flags)
        self._ingester.start()
        self.prefix = prefix
        self.provider = self._ingester.data_provider
        plugins = [CorePluginLoader(), ScalarsPlugin, ActivisPlugin]
        self.client = Client(TensorBoardWSGIApp(flags, plugins, self.provider))

    def close(self) -> None:
        if self.loader == "fast":
            self._ingester._stdin_handle.close()

    def reload(self) -> None:
        """Loads what is new; the fast loader does so by itself."""
        if self.loader == "slow":
            self._ingester.start()

    def get(self, route: str, verb: str = "GET", headers: dict[str, str] | None = None, **query: Any) -> TestResponse:
        path = f"{self.prefix}/data/plugin/activis/{route}"
        return self.client.open(path, method=verb, query_string=query, headers=headers)

    def json(self, route: str, **query: Any) -> Any:
        response = self.get(route, **query)
        assert response.status_code == 200, response.text
        assert response.mimetype == "application/json"
        return response.get_json()

    def array(self, route: str, **query: Any) -> np.ndarray:
        response = self.get(route, **query)
        assert response.status_code == 200, response.text
        return read_array(response)

    def refused(self, route: str, code: int, **query: Any) -> str:
        """Returns the sentence of an answer that must have status `code`."""
        response = self.get(route, **query)
        assert response.status_code == code, (response.status_code, response.text)
        assert response.mimetype == "text/plain"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        return response.text

    def get_scalars(self, run: str, tag: str) -> dict[int, float]:
        """Returns by step what TensorBoard's own scalars plugin serves."""
        response = self.client.get("/data/plugin/scalars/scalars", query_string={"run": run, "tag": tag})
        return {step: value for _, step, value in response.get_json()}

    def wait(self, arrived: Callable[[Any], bool]) -> Any:
        """Returns the answer of `runs` once `arrived` is true of it."""
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            self.reload()
            listing = self.json("runs")
            if arrived(listing):
                return listing
            time.sleep(0.1)
        raise TimeoutError(f"the runs did not become as expected: {listing}")

    def wait_for_snapshots(self, count: int) -> Any:
        return self.wait(lambda listing: len(snapshots(listing)) == count)


def snapshots(listing: Any) -> list[tuple[str, str, int]]:
    """Returns (run, name, step) of all snapshots in an answer of `runs`."""
    return [(run["run"], one["name"], one["step"]) for run in listing["runs"] for one in run["snapshots"]]


def read_array(response: TestResponse) -> np.ndarray:
    assert response.mimetype == "application/octet-stream"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.data[:8] == b"\x93NUMPY\x01\x00"
    return np.load(io.BytesIO(response.data), allow_pickle=False)
