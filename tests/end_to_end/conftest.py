"""Real TensorBoard, real Chromium, and runs recorded by the demos."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.data import TREC, needed
from tests.end_to_end.tab import TIMEOUT, Tab

QUESTION_EPOCHS = 4
ROOT = Path(__file__).resolve().parents[2]
DEBUG = ROOT / "build" / "debug.js"
"""The view of the tab's state, `window.__activis`, which is built beside the tab and not shipped."""
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


WITHOUT_TENSORFLOW = """
import sys
sys.modules["tensorboard.compat.notf"] = sys
from tensorboard.main import run_main
run_main()
"""
"""TensorBoard as it is where TensorFlow is not installed: it takes that module as the sign for it."""


@contextmanager
def serve(logdir: Path, *arguments: str, tensorflow: bool = False) -> Iterator[str]:
    """Runs TensorBoard on `logdir` and yields its URL, with a slash at the end.

    Args:
        logdir: The log directory.
        arguments: Further ones of the `tensorboard` command.
        tensorflow: Whether it finds TensorFlow, whose import takes as long as ten tests.
    """
    program = ["-m", "tensorboard.main"] if tensorflow else ["-c", WITHOUT_TENSORFLOW]
    command = [sys.executable, *program, "--logdir", str(logdir), "--port", "0"]
    with tempfile.NamedTemporaryFile(prefix="tensorboard-", suffix=".log") as log:
        server = subprocess.Popen([*command, *arguments], stdout=log, stderr=log)
        try:
            yield _url_of(server, Path(log.name))
        finally:
            server.terminate()
            server.wait(2 * TIMEOUT)
            if "Traceback" in (said := Path(log.name).read_text()):
                sys.stderr.write(f"TensorBoard said:\n{said[-5000:]}\n")


def _url_of(server: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + 2 * TIMEOUT
    while time.monotonic() < deadline and server.poll() is None:
        for word in log.read_text().split():
            if word.startswith("http://") and word.endswith("/"):
                return word
        time.sleep(0.05)
    pytest.fail(f"TensorBoard did not start:\n{log.read_text()}")


def wait_for_snapshots(url: str, count: int, timeout: float = 2 * TIMEOUT) -> None:
    """Waits until TensorBoard has loaded `count` snapshots."""
    deadline = time.monotonic() + timeout
    found = 0
    while time.monotonic() < deadline:
        with urllib.request.urlopen(f"{url}data/plugin/activis/runs") as answer:
            found = sum(len(run["snapshots"]) for run in json.load(answer)["runs"])
        if found == count:
            return
        time.sleep(0.2)
    pytest.fail(f"{found} of {count} snapshots appeared within {timeout:g} s")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if executable is None:
        pytest.fail("no Chromium on PATH: run `make browser` (Debian, Ubuntu) or install Chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def screenshots() -> Path:
    folder = ROOT / "test-results"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def open_tab(browser: Browser, screenshots: Path) -> Iterator[Callable[..., Tab]]:
    """Opens the tab of a TensorBoard in a new browser context; fails the test on any error in the page's console.

    `script` runs in every frame before the page's own.
    """
    tabs: list[Tab] = []

    def open_(url: str, width: int = 1600, height: int = 1000, script: str = "", **options: str) -> Tab:
        context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
        context.add_init_script(path=DEBUG)
        if script:
            context.add_init_script(script)
        tabs.append(Tab(context.new_page(), url, screenshots))
        return tabs[-1].open(**options)

    yield open_
    complaints = [complaint for tab in tabs for complaint in tab.complaints]
    for tab in tabs:
        tab.page.context.close()
    assert complaints == []


@pytest.fixture(scope="session", params=["grammar", "trec"])
def questions(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log directory of demo/questions.py, on its own questions and on the TREC files."""
    data = ["--data", str(needed(TREC))] if request.param == "trec" else ["--offline"]
    arguments = [*data, "--epochs", str(QUESTION_EPOCHS)]
    return made_once(tmp_path_factory, request.param, lambda logdir: run_demo("questions.py", logdir, *arguments))


@pytest.fixture(scope="session")
def questions_url(questions: Path) -> Iterator[str]:
    """A TensorBoard on `questions`, for all files; it finds TensorFlow, as where one trains."""
    with serve(questions, tensorflow=True) as url:
        wait_for_snapshots(url, 2 * QUESTION_EPOCHS)
        yield url


def made_once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Returns a log directory that `make` fills once for all processes of a test run."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"shared-{name}"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            make(folder / "runs")
            (folder / "made").touch()
    return folder / "runs"


def run_demo(script: str, logdir: Path, *arguments: str) -> str:
    command = [sys.executable, str(ROOT / "demo" / script), "--logdir", str(logdir), *arguments]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, f"{script} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout
