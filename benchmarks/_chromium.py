"""Headless Chromium without a GPU, looking at the tab of a TensorBoard."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Frame, Page, ViewportSize, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PROBE = Path(__file__).with_name("_tab_probe.js")
DEBUG = Path(__file__).resolve().parents[1] / "build" / "debug.js"
TIMEOUT = 120_000
VIEWPORT: ViewportSize = {"width": 1600, "height": 1000}


@contextmanager
def browser() -> Iterator[Browser]:
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    if executable is None:
        raise SystemExit("no Chromium on PATH: run `make browser` or install Chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield chromium
        chromium.close()


@contextmanager
def blank(chromium: Browser) -> Iterator[Page]:
    """Opens a page with nothing on it, as large as the others."""
    context = chromium.new_context(viewport=VIEWPORT, reduced_motion="reduce")
    page = context.new_page()
    page.add_init_script(path=PROBE)
    page.goto("data:text/html,<title>blank</title>")
    yield page
    context.close()


@contextmanager
def tab(
    chromium: Browser, url: str, run: str = "", layers: Sequence[str] = (), **state: str
) -> Iterator[tuple[Page, Frame]]:
    """Opens the tab in a context of its own; yields TensorBoard's page and the tab's frame.

    Without `run` and `layers` it opens as it does by itself. `state` are more pairs of the hash: `projection="pca"`.
    """
    pairs = {"run": run, "layers": ",".join(layers), **state}
    hash_state = "".join(f"&p.activis.{key}={value}" for key, value in pairs.items() if value)
    context = chromium.new_context(viewport=VIEWPORT, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(TIMEOUT)
    page.add_init_script(path=PROBE)
    page.add_init_script(path=DEBUG)
    page.goto(f"{url}/#activis{hash_state}")
    page.wait_for_selector('iframe[src*="name=activis"]', state="attached")
    handle = page.query_selector('iframe[src*="name=activis"]')
    frame = handle.content_frame()
    frame.wait_for_function("window.__activis !== undefined")
    yield page, frame
    context.close()


def painted_after(page: Page, frame: Frame) -> float:
    """Returns the milliseconds from TensorBoard's list of plugins to the tab's matrices and projections."""
    return frame.evaluate("probe.painted") - page.evaluate("probe.listed")


def heap(page: Page) -> float:
    """Returns the page's JavaScript heap after garbage was collected, MB."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return used / 1e6
