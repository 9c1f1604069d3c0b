"""Screenshots of six states of the tab, compared with those stored in `screenshots/`.

`make screenshots` stores them anew; look at the difference before committing it. The recordings are synthetic, the
projection is PCA and the fonts are the tab's own, so that a picture depends on the tab and on Chromium alone.
"""

import io
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import expect

from tests.end_to_end import planted_runs as planted
from tests.end_to_end.animals import RUN, WRONG, write_animals
from tests.end_to_end.conftest import serve, wait_for_snapshots
from tests.end_to_end.subset_bar import add
from tests.end_to_end.tab import TIMEOUT, Tab

pytestmark = pytest.mark.browser

STORED = Path(__file__).parent / "screenshots"
RENEW = "ACTIVIS_RENEW_SCREENSHOTS" in os.environ
WIDTH, HEIGHT = 1200, 760
BLOCK = 4
"""Pixels by pixels that are averaged before they are compared, against other antialiasing."""
TOLERANCE = 24
"""By how much a block may differ in a colour channel, of 255."""
MOST_BLOCKS = 8
"""How many of the 52,200 blocks may differ by more: less than a dot of the matrix."""

ANIMALS = f"&p.activis.run={RUN.replace('/', '%2F')}&p.activis.projection=pca"
BASE = "&p.activis.run=base&p.activis.step=1&p.activis.layers=hidden,output&p.activis.projection=pca"
COMPARED = f"{BASE}&p.activis.graph=slim&p.activis.vs=other,validation,1&p.activis.show=difference"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    logdir = tmp_path_factory.mktemp("screenshots") / "runs"
    write_animals(logdir, 1, 2)
    count = planted.write_planted(logdir)
    with serve(logdir) as url:
        wait_for_snapshots(url, 2 + count)
        yield url


def judged(tab: Tab) -> None:
    """Waits for what comes last, a badge of health at each of the two recorded layers."""
    expect(tab.get("graph-health")).to_have_count(2)


def drawn(tab: Tab) -> None:
    tab.wait(
        "the columns and projections",
        lambda state: state["layers"] and all(state["columns"].values()) and all(state["projection"].values()),
    )
    if "&p.activis.graph=slim" not in tab.page.url:
        judged(tab)


def a_subset_a_pinned_and_a_lit_row(tab: Tab) -> None:
    drawn(tab)
    add(tab, "age > 5")
    tab.get("instance-square", row=str(WRONG)).click()
    tab.hover_row("hidden", "age > 5")
    tab.wait("it is highlighted", lambda state: state["highlighted"]["hidden"] == list(range(6, 12)))


def over_steps(tab: Tab) -> None:
    drawn(tab)
    tab.get("over-steps-button").click()
    for step in ("1", "2"):
        tab.get("step-picture", step=step, ready="true").wait_for(timeout=TIMEOUT * 1000)
    tab.leave()


STATES: dict[str, tuple[str, str, Callable[[Tab], object]]] = {
    "graph": ("", ANIMALS, judged),
    "panels": ("", BASE, drawn),
    "panels-dark": ("?darkMode=true", BASE, drawn),
    "subset": ("", f"{ANIMALS}&p.activis.layers=hidden", a_subset_a_pinned_and_a_lit_row),
    "steps": ("", BASE, over_steps),
    "compared": ("", COMPARED, drawn),
}


@pytest.mark.parametrize("name", STATES)
def test_the_tab_looks_as_stored(name: str, url: str, open_tab: Callable[..., Tab], screenshots: Path) -> None:
    query, hash_state, show = STATES[name]
    tab = open_tab(url, WIDTH, HEIGHT, hash_state=hash_state, query=query)
    show(tab)
    tab.frame.evaluate("document.fonts.ready.then(() => null)")
    stored = STORED / f"{name}.png"
    if RENEW:
        settled(tab).save(stored, optimize=True)
    expected = pixels(Image.open(stored))
    deadline = time.monotonic() + TIMEOUT
    while (blocks := differing(pixels(picture(tab)), expected)).sum() > MOST_BLOCKS and time.monotonic() < deadline:
        tab.page.wait_for_timeout(100)
    shown = picture(tab)
    if blocks.sum() > MOST_BLOCKS:
        path = screenshots / f"changed-{name}.png"
        shown.save(path)
        rows, columns = (np.flatnonzero(blocks.any(axis=axis)) * BLOCK for axis in (1, 0))
        pytest.fail(
            f"{blocks.sum()} blocks differ from {stored}, within x {columns[0]} to {columns[-1] + BLOCK} and "
            f"y {rows[0]} to {rows[-1] + BLOCK}: see {path}; `make screenshots` stores it anew"
        )


def picture(tab: Tab) -> Image.Image:
    """What is inside TensorBoard's frame for the tab."""
    frame = tab.page.locator('iframe[src*="name=activis"]')
    return Image.open(io.BytesIO(frame.screenshot(animations="disabled"))).convert("RGB")


def settled(tab: Tab) -> Image.Image:
    """The first picture that stays as it is."""
    before, after = None, picture(tab)
    while before is None or before.tobytes() != after.tobytes():
        tab.page.wait_for_timeout(1_000)
        before, after = after, picture(tab)
    return after


def pixels(image: Image.Image) -> NDArray[np.float32]:
    return np.asarray(image.convert("RGB"), np.float32)


def differing(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Returns which blocks of two pictures differ, (rows, columns); all where their sizes do."""
    if one.shape != other.shape:
        return np.ones((one.shape[0] // BLOCK, one.shape[1] // BLOCK), bool)
    height, width = (length // BLOCK * BLOCK for length in one.shape[:2])
    blocks = (one - other)[:height, :width].reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK, 3).mean(axis=(1, 3))
    return np.abs(blocks).max(axis=2) > TOLERANCE


def test_a_cell_of_another_colour_and_a_word_that_moved_are_seen() -> None:
    before = pixels(Image.open(STORED / "panels.png"))
    cell = before.copy()
    cell[300:320, 500:520] = 255 - cell[300:320, 500:520]
    assert differing(cell, before).sum() > MOST_BLOCKS
    assert differing(before[4:], before).all()
    assert not differing(np.clip(before + 8, 0, 255), before).any()
