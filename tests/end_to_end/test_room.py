"""The room of the page: panels share its height, matrices wrap into banks, instances are put aside."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.end_to_end.conftest import serve, wait_for_snapshots
from tests.end_to_end.tab import Tab
from tests.snapshots import make_snapshot, write_snapshot

pytestmark = pytest.mark.browser

ROWS = 36
CLASSES = ("ant", "bee", "cat", "dog", "elk", "fox")
LABELS = np.arange(ROWS) % len(CLASSES)
SIZES = ((1280, 720), (1280, 800), (1440, 900), (1920, 1080))
ALL = ("concat", "hidden", "output")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Six classes; `concat` with 300 neurons, `hidden` with 128, `output` with one per class."""
    logdir = tmp_path_factory.mktemp("room") / "runs"
    random = np.random.default_rng(3)
    scores = np.where(np.arange(len(CLASSES)) == LABELS[:, None], 0.75, 0.05).astype(np.float32)
    layers = {
        name: random.gamma(2, 1, (ROWS, size)).astype(np.float32) for name, size in (("concat", 300), ("hidden", 128))
    }
    snapshot = make_snapshot({**layers, "output": scores}, labels=LABELS.tolist(), classes=CLASSES, scores=scores)
    write_snapshot(logdir, "run", snapshot)
    with serve(logdir) as url:
        wait_for_snapshots(url, 1)
        yield url


def opened(
    open_tab: Callable[..., Tab], url: str, *layers: str, more: str = "", size: tuple[int, int] = SIZES[2]
) -> Tab:
    state = f"&p.activis.layers={','.join(layers)}&p.activis.projection=pca{more}"
    tab = open_tab(url, width=size[0], height=size[1], hash_state=state)
    tab.wait_for_cells(*layers)
    tab.wait("the projections", lambda state: all(state["projection"].get(layer) for layer in layers))
    tab.painted()
    return tab


def boxes(tab: Tab) -> dict[str, Any]:
    """Of each panel, where it and its parts stand; the height of the place of all panels, and of what is in it."""
    return tab.frame.evaluate(
        """() => {
            const box = one => one && (({left, top, right, bottom, width, height}) =>
                ({left, top, right, bottom, width, height}))(one.getBoundingClientRect());
            const place = document.querySelector(".panels");
            return {
                place: {...box(place), inside: place.scrollHeight, seen: place.clientHeight},
                panels: [...document.querySelectorAll("[data-testid=panel]")].map(panel => ({
                    layer: panel.dataset.layer,
                    ...box(panel),
                    cells: [...panel.querySelectorAll(".cells")].map(box),
                    rows: panel.querySelector(".bank").querySelector(".row-label").clientHeight,
                    grid: box(panel.querySelector(".matrix-rows")),
                    picture: box(panel.querySelector("[data-testid=projection]")),
                })),
            };
        }"""
    )


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("layers", [ALL[1:2], ALL[1:], ALL], ids=len)
def test_open_panels_fill_the_page(
    url: str, open_tab: Callable[..., Tab], layers: tuple[str, ...], size: tuple[int, int]
) -> None:
    tab = opened(open_tab, url, *layers, size=size)
    found = boxes(tab)
    if size[1] >= 800:
        assert found["place"]["inside"] - found["place"]["seen"] <= 1, "nothing is scrolled"
        assert found["panels"][-1]["bottom"] == pytest.approx(found["place"]["bottom"] - 8, abs=1)
    for panel in found["panels"]:
        picture = panel["picture"]
        assert picture["right"] <= panel["right"]
        assert picture["bottom"] <= panel["bottom"]
        assert panel["width"] >= picture["width"] / 0.44
        assert panel["grid"]["bottom"] <= panel["bottom"]
        assert 13 <= panel["rows"] <= 28
    tab.screenshot(f"room-{len(layers)}-{size[0]}-{size[1]}")


def test_a_matrix_wraps_into_banks_that_behave_as_one(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = opened(open_tab, url, "hidden")
    panel = tab.get("panel", layer="hidden")
    order = tab.state()["columns"]["hidden"]
    banks = panel.locator(".bank")
    starts = [int(bank.get_attribute("data-first") or "-1") for bank in banks.all()]
    assert len(starts) > 1
    assert starts[0] == 0
    for bank in banks.all():
        assert [label.inner_text().split()[0] for label in bank.locator(".row-name").all()] == list(CLASSES)

    second = panel.get_by_test_id("matrix-bank").first
    pitch = panel.locator(".column-band").first.bounding_box()["width"]
    second.hover(position={"x": 2.5 * pitch, "y": 5})
    state = tab.wait("a cell of the second bank", lambda state: (state["hover"] or {}).get("neuron") is not None)
    assert state["hover"] == {**state["hover"], "neuron": order[starts[1] + 2], "row": "class:ant"}
    assert tab.ringed_columns("hidden") == [[starts[1] + 2]]
    bands = panel.get_by_test_id("hovered-row").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().top > 0)"
    )
    assert bands == [True] * len(starts), "the row is marked in every bank"

    before = boxes(tab)
    panel.get_by_test_id("projection").hover(position={"x": 5, "y": 5})
    tab.leave()
    tab.get("instance-square", row="4").hover()
    tab.wait("an instance", lambda state: state["hover"])
    expect(panel.locator(".temporary-row canvas")).to_have_count(len(starts))
    after = boxes(tab)
    assert after == before, "nothing moves"

    tab.leave()
    panel.get_by_test_id("matrix-grid").focus()
    for _ in range(starts[1]):
        tab.page.keyboard.press("ArrowRight")
    tab.wait("the first of the next bank", lambda state: (state["hover"] or {}).get("neuron") == order[starts[1]])
    tab.becomes(lambda: tab.ringed_columns("hidden"), [[starts[1]]])
    tab.page.keyboard.press("PageUp")
    tab.wait("one bank back", lambda state: state["hover"]["neuron"] == order[0])
    tab.page.keyboard.press("s")
    sorted_order = tab.wait("sorted", lambda state: state["columns"]["hidden"] != order)["columns"]["hidden"]
    tab.becomes(lambda: tab.ringed_columns("hidden"), [[sorted_order.index(order[0])]])
    assert banks.nth(1).locator(".row-label.sorted").count() == 1
    banks.nth(1).locator(".row-label button").nth(2).click()
    tab.wait("sorted by what the second bank names", lambda state: state["sort"] == "class:cat")


@pytest.mark.parametrize("layer", ["hidden", "concat"])
def test_a_layer_shown_alone_is_larger_and_whole(url: str, open_tab: Callable[..., Tab], layer: str) -> None:
    tab = opened(open_tab, url, *ALL)
    panel = tab.get("panel", layer=layer)

    def pitch() -> float:
        return panel.locator(".column-band").first.bounding_box()["width"]

    small = pitch()
    panel.get_by_test_id("maximise").click()
    tab.get("panel", layer="output").wait_for(state="detached")
    tab.painted()
    assert pitch() > small
    assert panel.get_by_test_id("overview").count() == 0
    total = len(tab.state()["columns"][layer])
    panel.get_by_text(f"of {total} neurons").wait_for()
    assert panel.locator(".bank-range").last.inner_text().endswith(f"–{total} of {total}")
    tab.screenshot(f"room-alone-{layer}")
    panel.get_by_test_id("matrix-grid").focus()
    tab.page.keyboard.press("Control+End")
    tab.wait("the last neuron", lambda state: (state["hover"] or {}).get("neuron") is not None)
    expect(panel.get_by_test_id("focus-ring")).to_be_in_viewport()


def test_a_projection_is_a_square_with_one_scale(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = opened(open_tab, url, "hidden", "output", size=(1920, 1080))
    hidden, output = (panel["picture"] for panel in boxes(tab)["panels"])
    assert hidden["width"] == pytest.approx(hidden["height"], abs=3)
    assert output["height"] > 200
    assert output["left"] == pytest.approx(hidden["left"], abs=1), "beside printed values it is as wide as the others"


def test_instances_are_put_aside_and_stay_there(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = opened(open_tab, url, "hidden", "output")
    wide = boxes(tab)["panels"][0]["width"]
    assert tab.get("instance-card").count() == 0, "an empty card takes no room"
    tab.get("instance-square").first.hover()
    tab.get("instance-card").wait_for()
    tab.get("put-aside").click()
    tab.get("instance-square").first.wait_for(state="detached")
    assert tab.get("instances").bounding_box()["width"] == 48
    expect(tab.get("instances")).to_contain_text("100 %", use_inner_text=True)
    tab.becomes(lambda: boxes(tab)["panels"][0]["width"], wide + 284 - 48)
    tab.wait_for_address("instances=aside")
    tab.page.reload()
    tab.get("put-aside").click()
    tab.get("instance-square").first.wait_for()


def test_beside_a_layer_shown_alone_they_are_aside_until_they_are_asked_for(
    url: str, open_tab: Callable[..., Tab]
) -> None:
    tab = opened(open_tab, url, "hidden", "output")
    tab.get("panel", layer="hidden").get_by_test_id("maximise").click()
    tab.get("instance-square").first.wait_for(state="detached")
    tab.get("put-aside").click()
    tab.get("instance-square").first.wait_for()
    tab.wait_for_address("instances=open")
    tab.get("panel", layer="hidden").get_by_test_id("maximise").click()
    tab.get("panel", layer="output").wait_for()
    tab.get("instance-square").first.wait_for()


def test_beside_a_layer_shown_alone_the_graph_is_a_path_that_leads_to_the_others(
    url: str, open_tab: Callable[..., Tab]
) -> None:
    tab = opened(open_tab, url, "hidden", "output")
    tab.get("panel", layer="hidden").get_by_test_id("maximise").click()
    path = tab.get("graph-path")
    expect(path.get_by_test_id("path-layer")).to_have_text(list(ALL), use_inner_text=True)
    expect(path.locator("[aria-current]")).to_have_text("hidden", use_inner_text=True)
    expect(tab.get("graph")).to_be_hidden()
    tab.get("path-layer", layer="concat").click()
    tab.wait_for_address("maximised=concat")
    tab.wait("it is open", lambda state: state["layers"] == list(ALL))
    expect(tab.get("panel")).to_have_count(1)
    tab.page.reload()
    expect(path.locator("[aria-current]")).to_have_text("concat", use_inner_text=True)
    tab.get("show-graph").click()
    expect(tab.get("graph")).to_be_visible()
    expect(path).to_have_count(0)
    tab.get("slim-graph").click()
    path.wait_for()
    tab.get("panel", layer="concat").get_by_test_id("maximise").click()
    expect(tab.get("graph")).to_be_visible()
    expect(tab.get("panel")).to_have_count(3)
