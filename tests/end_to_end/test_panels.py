"""Controls of panels and graph: keys in the matrix, the locked row, wide layers, one panel alone, colours, search."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.end_to_end.conftest import serve, wait_for_snapshots
from tests.end_to_end.tab import Tab
from tests.snapshots import column, make_snapshot, write_snapshot

pytestmark = pytest.mark.browser

WIDE = 4000
ROWS = 12


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Two classes of six; `wide` has the neuron's number as its activation for cats, and its opposite for dogs.

    `single` has one neuron, which runs from 0 to 1.
    """
    logdir = tmp_path_factory.mktemp("panels") / "runs"
    labels = [0, 1] * (ROWS // 2)
    neurons = np.arange(WIDE, dtype=np.float32)
    wide = np.array([neurons if label == 0 else neurons[::-1] for label in labels])
    snapshot = make_snapshot(
        {"wide": wide, "narrow": wide[:, :20], "single": np.linspace(0, 1, ROWS, dtype=np.float32)[:, None]},
        labels=labels,
        attributes=[column("length", "number", [float(row) for row in range(ROWS)])],
    )
    write_snapshot(logdir, "run", snapshot)
    with serve(logdir) as url:
        wait_for_snapshots(url, 1)
        yield url


@pytest.fixture
def tab(url: str, open_tab: Callable[..., Tab]) -> Tab:
    tab = open_tab(url, hash_state="&p.activis.layers=wide,narrow&p.activis.sort=class:cat&p.activis.projection=pca")
    tab.wait("both layers", both_are_there)
    return tab


def both_are_there(state: dict[str, Any]) -> bool:
    sizes = {name: len(columns) for name, columns in state["columns"].items()}
    return sizes == {"wide": WIDE, "narrow": 20} and all(state["projection"].values())


def cats(state: dict[str, Any]) -> bool:
    return list(range(0, ROWS, 2)) == state["highlighted"]["wide"]


def test_keys_move_through_the_matrix_and_the_readout_follows(tab: Tab) -> None:
    panel = tab.get("panel", layer="wide")
    grid, readout = panel.get_by_test_id("matrix-grid"), panel.get_by_test_id("readout")
    grid.focus()
    tab.page.keyboard.press("End")
    tab.wait("the weakest neuron of cats", lambda state: (state["hover"] or {}).get("neuron") == 0)
    tab.page.keyboard.press("ArrowLeft")
    state = tab.wait("the one before", lambda state: state["hover"]["neuron"] == 1)
    assert state["hover"]["row"] == "class:cat"
    expect(readout).to_contain_text("neuron 1 · cat mean 1", use_inner_text=True)
    tab.page.keyboard.press("ArrowDown")
    tab.wait("dogs", lambda state: state["hover"]["row"] == "class:dog")
    expect(readout).to_contain_text(f"neuron 1 · dog mean {WIDE - 2:,}", use_inner_text=True)
    panel.get_by_test_id("focus-ring").wait_for()
    assert tab.focused_cell() == f"dog, neuron 1: {WIDE - 2:,}"
    tab.page.keyboard.press("s")
    state = tab.wait("sorted by dogs", lambda state: state["sort"] == "class:dog")
    assert state["columns"]["wide"] == list(range(WIDE))


def test_the_focus_stays_in_sight_when_its_neuron_goes_far(tab: Tab) -> None:
    panel = tab.get("panel", layer="wide")
    panel.get_by_test_id("matrix-grid").focus()
    for key in ("ArrowRight", "ArrowDown", "s"):
        tab.page.keyboard.press(key)
    tab.wait("sorted by dogs", lambda state: state["columns"]["wide"] == list(range(WIDE)))
    expect(panel.get_by_test_id("focus-ring")).to_be_in_viewport()
    tab.becomes(tab.focused_cell, f"dog, neuron {WIDE - 2}: 1")
    expect(panel.get_by_test_id("readout")).to_contain_text(f"neuron {WIDE - 2} · dog mean 1", use_inner_text=True)
    tab.becomes(lambda: len(tab.ringed_columns("wide")[0]), 1)


def test_a_locked_row_stays_lit_until_escape(tab: Tab) -> None:
    tab.get("panel", layer="wide").get_by_test_id("matrix-grid").focus()
    tab.page.keyboard.press("Space")
    tab.page.keyboard.press("Tab")
    tab.wait("cats stay highlighted", lambda state: state["hover"] is None and cats(state))
    tab.wait_for_address("locked=class%3Acat")
    tab.get("panel", layer="narrow").get_by_test_id("matrix-grid").focus()
    tab.page.keyboard.press("Escape")
    tab.page.keyboard.press("Tab")
    tab.wait("nothing is highlighted", lambda state: not state["highlighted"]["wide"])


def test_a_wide_layer_has_a_map_whose_window_moves(tab: Tab) -> None:
    panel = tab.get("panel", layer="wide")
    expect(panel.get_by_test_id("overview")).to_have_attribute("data-kind", "map")
    expect(tab.get("panel", layer="narrow").get_by_test_id("overview")).to_have_count(0)
    handle = panel.get_by_test_id("overview-handle")
    box = handle.bounding_box()
    assert box is not None
    tab.page.mouse.click(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2)
    tab.leave()
    last = int(handle.get_attribute("max") or "0")
    panel.get_by_text(f"neurons {last + 1:,}–{WIDE:,} of {WIDE:,}, by cat mean").wait_for()
    expect(handle).to_have_value(str(last))
    assert last > 1000
    tab.screenshot("panel-map")
    handle.dblclick(position={"x": 5, "y": 5})
    tab.leave()
    panel.get_by_text(f"neurons 1–{WIDE - last:,} of {WIDE:,}").wait_for()
    expect(handle).to_have_value("0")


def test_a_maximised_panel_stands_alone_also_after_a_reload(tab: Tab) -> None:
    tab.get("panel", layer="wide").get_by_test_id("maximise").click()
    tab.get("panel", layer="narrow").wait_for(state="detached")
    tab.page.reload()
    tab.get("panel", layer="wide").wait_for()
    expect(tab.get("panel", layer="narrow")).to_have_count(0)
    tab.get("panel", layer="wide").get_by_test_id("maximise").click()
    tab.get("panel", layer="narrow").wait_for()


def test_dots_are_coloured_by_a_number(tab: Tab) -> None:
    before = picture(tab)
    tab.get("panel", layer="wide").get_by_test_id("colour-picker").select_option("attribute:length")
    tab.get("panel", layer="wide").locator(".legend-range").wait_for()
    tab.becomes(lambda: tab.get("panel", layer="wide").locator(".legend-range").inner_text().split(), ["0", "11"])
    tab.becomes(lambda: np.array_equal(picture(tab), before), False)
    tab.wait_for_address("colour=attribute%3Alength")


def test_dots_are_coloured_by_a_neuron_of_any_open_layer(tab: Tab) -> None:
    before = picture(tab)
    panel = tab.get("panel", layer="wide")
    panel.get_by_test_id("colour-picker").select_option(f"neuron:{WIDE - 1}:wide")
    panel.get_by_test_id("neuron-number").fill("3")
    tab.wait_for_address("colour=neuron%3A3%3Awide")
    tab.becomes(lambda: panel.locator(".legend-range").inner_text().split(), ["0", f"{WIDE:,}"])
    tab.becomes(lambda: np.array_equal(picture(tab), before), False)
    expect(tab.get("panel", layer="narrow").locator(".projection .colour-choice")).to_contain_text("neuron 3 of wide")


def picture(tab: Tab) -> np.ndarray:
    pixels = tab.frame.evaluate(
        """() => {
            const canvas = document.querySelector('[data-layer=wide] [data-testid=projection]');
            return Array.from(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data);
        }"""
    )
    return np.array(pixels, np.uint8)


def test_one_neuron_is_a_strip_of_its_values(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state="&p.activis.layers=single")
    panel = tab.get("panel", layer="single")
    axis = panel.get_by_test_id("strip-axis")
    expect(axis).to_have_attribute("aria-label", "activation of single, from 0 to 1")
    assert tab.state()["projection"]["single"]["method"] == "pca", "nothing is computed that is not shown"
    dots = panel.get_by_test_id("projection")
    box = dots.bounding_box()
    assert box is not None
    for row, lane in ((0, 0.25), (ROWS - 1, 0.75)):
        x, y = 14 + row / (ROWS - 1) * (box["width"] - 28), 6 + lane * (box["height"] - 12)
        dots.hover(position={"x": x, "y": y}, force=True)
        tab.wait("the dot", lambda state, row=row: state["highlighted"]["single"] == [row])


def test_the_graph_shrinks_to_a_bar_that_still_opens_layers(tab: Tab) -> None:
    tab.get("slim-graph").click()
    tab.get("graph-tensor", layer="narrow").click()
    tab.wait("narrow is closed", lambda state: state["layers"] == ["wide"])
    tab.get("slim-graph").click()
    tab.get("find-node").wait_for()


def test_a_node_is_found_by_name(tab: Tab) -> None:
    tab.get("graph").locator("h2").click()
    tab.page.keyboard.press("/")
    tab.page.keyboard.type("narr")
    tab.get("graph").locator(".located").wait_for()
    expect(tab.get("graph").locator(".find-node small")).to_have_text("1 of 1", use_inner_text=True)
    expect(tab.get("graph").locator(".located").get_by_text("narrow")).to_have_count(1)
