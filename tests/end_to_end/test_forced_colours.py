"""The tab in the system's contrast themes, in which browsers replace every colour of a page but those that are data."""

import io
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Locator

from tests.end_to_end.animals import CLASSES, NEURONS, RUN, WRONG, write_animals
from tests.end_to_end.axe import violations
from tests.end_to_end.conftest import serve, wait_for_snapshots
from tests.end_to_end.tab import Tab

pytestmark = pytest.mark.browser

STATE = f"&p.activis.run={RUN.replace('/', '%2F')}&p.activis.layers=hidden,output&p.activis.projection=pca"
APART = 60
"""How far colours are from each other at least, of the 441 between black and white."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    logdir = tmp_path_factory.mktemp("forced") / "runs"
    write_animals(logdir, 1, 2)
    with serve(logdir) as url:
        wait_for_snapshots(url, 2)
        yield url


@pytest.fixture(params=["light", "dark"])
def tab(request: pytest.FixtureRequest, url: str, open_tab: Callable[..., Tab]) -> Tab:
    tab = open_tab(url, hash_state=STATE)
    tab.wait("the columns", lambda state: len(state["columns"].get("hidden", [])) == NEURONS)
    tab.wait("the projections", lambda state: all(state["projection"].values()))
    tab.get("instance-square").first.wait_for()
    tab.page.emulate_media(forced_colors="active", color_scheme=request.param)
    tab.painted()
    tab.screenshot(f"forced-{request.param}")
    return tab


def pixels(element: Locator) -> NDArray[np.float64]:
    """The element as it is on the screen, (height, width, 3)."""
    return np.asarray(Image.open(io.BytesIO(element.screenshot())).convert("RGB"), float)


def middle(element: Locator) -> NDArray[np.float64]:
    picture = pixels(element)
    height, width, _ = picture.shape
    colour: NDArray[np.float64] = picture[height // 2, width // 2]
    return colour


def clearest_line(element: Locator, ground: NDArray[np.float64]) -> NDArray[np.float64]:
    """The row of pixels, (width, 3), that differs most from the ground."""
    picture = pixels(element)
    line: NDArray[np.float64] = picture[np.abs(picture - ground).sum(axis=(1, 2)).argmax()]
    return line


def canvas(tab: Tab) -> NDArray[np.float64]:
    """The system's ground."""
    read = "getComputedStyle(document.querySelector('.card')).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
    return np.asarray(tab.frame.evaluate(read), float)


def are_apart(*colours: NDArray[np.float64]) -> bool:
    return all(
        float(np.linalg.norm(first - second)) >= APART
        for at, first in enumerate(colours)
        for second in colours[at + 1 :]
    )


def test_classes_keep_their_colours_in_legend_squares_and_dots(tab: Tab) -> None:
    ground = canvas(tab)
    legend = [middle(tab.get("legend").locator(".class-dot").nth(label)) for label in range(len(CLASSES))]
    assert are_apart(ground, *legend)
    for label in range(len(CLASSES)):
        square = pixels(tab.get("instance-square", row=str(label)))
        assert np.array_equal(square[square.shape[0] // 2, square.shape[1] // 2], legend[label])

    wrong = pixels(tab.get("instance-square", row=str(WRONG)))
    height, width, _ = wrong.shape
    assert np.array_equal(wrong[height // 2, width // 2], legend[1]), "a dog"
    assert np.array_equal(wrong[height // 2, 1], legend[0]), "taken for a cat"

    dots = pixels(tab.get("projection").first).reshape(-1, 3)
    assert (dots == ground).all(axis=1).mean() > 0.5, "no ground of their own"
    for colour in legend:
        assert (dots == colour).all(axis=1).sum() >= 9


def test_scales_tracks_and_bars_are_seen(tab: Tab) -> None:
    ground = canvas(tab)
    slider = clearest_line(tab.frame.locator(".slider").first, ground)
    assert are_apart(ground, slider[len(slider) // 2]), "filled up to the step that is shown, the last one"
    panel = tab.get("panel", layer="hidden")
    scale = clearest_line(panel.locator(".scale i"), ground)
    assert are_apart(scale[2], scale[-3])
    meters = [clearest_line(meter, ground) for meter in panel.locator(".meter").all()]
    assert meters
    assert all(are_apart(ground, meter[-2]) for meter in meters), "the tracks"
    assert any(are_apart(ground, meter[1], meter[-2]) for meter in meters), "a bar on one of them"


def test_strong_and_weak_cells_and_what_is_on_are_told_apart(tab: Tab) -> None:
    ground = canvas(tab)
    cells = pixels(tab.get("panel", layer="hidden").get_by_test_id("matrix")).reshape(-1, 3)
    levels = np.unique(cells[np.linalg.norm(cells - ground, axis=1) > 10].mean(axis=1).round())
    assert np.ptp(levels) > 150, "from near the ground to the text's colour"
    tab.hover_row("hidden", "dog")
    label = pixels(tab.row_label("hidden", "dog"))
    assert (np.linalg.norm(label[2] - ground, axis=1) > 20).mean() > 0.5, "the hovered row has a band"
    on, off = (tab.frame.locator(f'.segmented button[aria-pressed="{pressed}"]').first for pressed in ("true", "false"))
    assert are_apart(pixels(on)[3, 3], pixels(off)[3, 3])


def test_axe_finds_nothing_in_a_contrast_theme(tab: Tab) -> None:
    assert violations(tab) == []
