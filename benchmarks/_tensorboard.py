"""Starts TensorBoard with or without the plugin, as on a machine that has no TensorFlow.

`python benchmarks/_tensorboard.py with|without ARGUMENTS` runs it; `start` is for the benchmarks.
"""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil


class Server(NamedTuple):
    url: str
    process: psutil.Process
    seconds: float
    """From the start of the process to its first answer."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def start(logdir: Path, *arguments: str, plugin: bool = True) -> Iterator[Server]:
    port = free_port()
    mode = "with" if plugin else "without"
    command = [sys.executable, __file__, mode, "--logdir", str(logdir), "--port", str(port), *arguments]
    url = f"http://127.0.0.1:{port}"
    begun = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                with urllib.request.urlopen(f"{url}/data/plugins_listing") as answer:
                    answer.read()
                break
            except OSError as error:
                if child.poll() is not None:
                    message = f"TensorBoard ended with code {child.returncode}: {' '.join(command)}"
                    raise RuntimeError(message) from error
                time.sleep(0.01)
        yield Server(url, psutil.Process(child.pid), time.perf_counter() - begun)
    finally:
        child.terminate()
        child.wait()


def main() -> None:
    sys.modules["tensorflow"] = None  # type: ignore[assignment]
    from tensorboard import default, program

    plugins = [*default.get_static_plugins(), *default.get_dynamic_plugins()]
    if sys.argv[1] == "without":
        plugins = [plugin for plugin in plugins if not plugin.__module__.startswith("activis_tb")]
    server = program.TensorBoard(plugins=plugins)
    server.configure(("tensorboard", *sys.argv[2:]))
    sys.exit(server.main())


if __name__ == "__main__":
    main()
