"""Geometry of the tab at four sizes: nothing overlaps, no label is cut, and every target can be hit."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.end_to_end.conftest import serve, wait_for_snapshots
from tests.end_to_end.geometry import flaws
from tests.end_to_end.tab import Tab
from tests.snapshots import column, make_snapshot, write_graph, write_snapshot

pytestmark = pytest.mark.browser

CLASSES = ("ABBR", "DESC", "a class of a longer name", "HUM", "LOC", "NUM")
ROWS = 90
LABELS = np.arange(ROWS) % len(CLASSES)
RUNS = ("questions/dropout-0.0", "questions/dropout-0.5")
LAYERS = {"concat": 300, "hidden": 128}
PANELS = "&p.activis.layers=hidden,output&p.activis.projection=pca"
NARROW = (720, 450)
"""What 1440 × 900 is at 200 %."""
SIZES = ((1280, 800), (1440, 900), (1920, 1080), NARROW)


def graph() -> bytes:
    """Three branches that meet, a hidden layer and an output."""
    from tensorboard.compat.proto.graph_pb2 import GraphDef

    graph = GraphDef()
    graph.node.add(name="tokens", op="Placeholder")
    branches = [f"conv{width}/MaxPool" for width in (3, 4, 5)]
    for branch in branches:
        graph.node.add(name=branch.replace("MaxPool", "Conv2D"), op="Conv2D", input=["tokens"])
        graph.node.add(name=branch, op="MaxPool", input=[branch.replace("MaxPool", "Conv2D")])
    graph.node.add(name="concat", op="ConcatV2", input=branches)
    graph.node.add(name="hidden/Relu", op="Relu", input=["concat"])
    graph.node.add(name="output/Softmax", op="Softmax", input=["hidden/Relu"])
    return graph.SerializeToString()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Two runs of two steps, as the questions demo records them."""
    logdir = tmp_path_factory.mktemp("geometry") / "runs"
    random = np.random.default_rng(3)
    taken = np.where(np.arange(ROWS) % 7 == 0, (LABELS + 1) % len(CLASSES), LABELS)
    scores = np.where(np.arange(len(CLASSES)) == taken[:, None], 0.75, 0.05).astype(np.float32)
    for run in RUNS:
        write_graph(logdir, run, graph())
        for step in (4, 5):
            layers = {
                name: random.gamma(2, 1, (ROWS, size)).astype(np.float32) * (random.random(size) > 0.1)
                for name, size in LAYERS.items()
            }
            snapshot = make_snapshot(
                {**layers, "output": scores},
                LABELS.tolist(),
                step=step,
                classes=CLASSES,
                scores=scores,
                attributes=[
                    column("text", "text", [f"What is the meaning of question number {row} ?" for row in range(ROWS)]),
                    column("words", "number", list(range(ROWS))),
                ],
                subsets={"What is": [row % 3 == 0 for row in range(ROWS)]},
                tensors={"concat": "concat:0", "hidden": "hidden/Relu:0", "output": "output/Softmax:0"},
            )
            write_snapshot(logdir, run, snapshot)
    many = make_snapshot(
        {"hidden": layers["hidden"], "output": scores},
        LABELS.tolist(),
        classes=CLASSES,
        scores=scores,
        subsets={f"{name}: {value}": value == LABELS for name in ("education", "type_employer") for value in range(9)},
    )
    write_snapshot(logdir, "many", many)
    with serve(logdir) as url:
        wait_for_snapshots(url, 5)
        yield url


def opened(open_tab: Callable[..., Tab], url: str, more: str = "", size: tuple[int, int] = SIZES[1]) -> Tab:
    state = f"&p.activis.run={RUNS[1].replace('/', '%2F')}{more}"
    tab = open_tab(url, width=size[0], height=size[1], hash_state=state)
    drawn(tab)
    return tab


def drawn(tab: Tab) -> None:
    tab.wait(
        "columns and projections",
        lambda state: state["layers"] and all(state["columns"].values()) and all(state["projection"].values()),
    )
    tab.painted(20)


def first_contact(open_tab: Callable[..., Tab], url: str) -> Tab:
    return opened(open_tab, url)


def three_panels(open_tab: Callable[..., Tab], url: str) -> Tab:
    return opened(open_tab, url, "&p.activis.layers=concat,hidden,output&p.activis.projection=pca")


def locked_row(open_tab: Callable[..., Tab], url: str) -> Tab:
    tab = opened(open_tab, url, f"{PANELS}&p.activis.sort=class:NUM&p.activis.colour=neuron:93:hidden")
    tab.row_label("hidden", "NUM").hover(position={"x": 24, "y": 6})
    tab.get("panel", layer="hidden").locator('[data-row="NUM"] ~ [data-testid="row-lock"]').first.click()
    tab.leave()
    return tab


def maximised(open_tab: Callable[..., Tab], url: str) -> Tab:
    return opened(open_tab, url, f"{PANELS}&p.activis.maximised=hidden")


def tall_graph(open_tab: Callable[..., Tab], url: str) -> Tab:
    return opened(open_tab, url, f"{PANELS}&p.activis.graph=tall")


def pinned_instances(open_tab: Callable[..., Tab], url: str) -> Tab:
    tab = opened(open_tab, url, f"{PANELS}&p.activis.pinned=i0,i7,i8")
    tab.get("instance-square", row="7").hover()
    tab.get("instance-card").get_by_text("predicted").wait_for()
    return tab


def many_rows(open_tab: Callable[..., Tab], url: str) -> Tab:
    tab = open_tab(url, width=SIZES[1][0], height=SIZES[1][1], hash_state=f"&p.activis.run=many{PANELS}")
    drawn(tab)
    tab.get("row-search").first.wait_for()
    return tab


def compared(open_tab: Callable[..., Tab], url: str) -> Tab:
    other = RUNS[0].replace("/", "%2F")
    return opened(open_tab, url, f"{PANELS}&p.activis.vs={other},validation,5")


def settled_flaws(tab: Tab) -> dict[str, list[str]]:
    """Those that are left when everything has come to its place."""
    for _ in range(8):
        if not (found := flaws(tab)):
            break
        tab.page.wait_for_timeout(300)
    return found


@pytest.mark.parametrize(
    "state",
    [first_contact, three_panels, locked_row, maximised, tall_graph, pinned_instances, many_rows, compared],
    ids=lambda one: one.__name__,
)
def test_nothing_overlaps_is_cut_or_too_small(
    state: Callable[..., Tab], url: str, open_tab: Callable[..., Tab]
) -> None:
    tab = state(open_tab, url)
    found = {}
    for width, height in SIZES:
        tab.page.set_viewport_size({"width": width, "height": height})
        tab.painted(20)
        drawn(tab)
        tab.screenshot(f"geometry-{state.__name__}-{width}")
        found[width] = settled_flaws(tab)
    lines = [
        f"{width} {kind}: {line}" for width, kinds in found.items() for kind, all_ in kinds.items() for line in all_
    ]
    assert lines == [], "\n".join(lines)


def test_a_narrow_page_is_one_column_in_which_everything_is_reached(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = opened(open_tab, url, PANELS, size=NARROW)
    order = tab.state()["columns"]["hidden"]
    places = tab.frame.evaluate(
        """() => [...document.querySelectorAll(
            ".sentence, .graph, .subset-bar, .panel, .panel .matrix, .panel .projection, .instances"
        )].map(one => [one.className, one.getBoundingClientRect()]).map(([name, {left, right, top, bottom}]) =>
            ({name, left, right, top, bottom}))"""
    )
    assert all(place["left"] >= 0 and place["right"] <= NARROW[0] for place in places)
    tops = [place["top"] for place in places]
    assert tops == sorted(tops), "one below the other"
    assert tab.frame.evaluate(
        "[...document.querySelectorAll('.matrix-rows, .panels')].every(one => one.scrollHeight <= one.clientHeight + 1)"
    )

    panel = tab.get("panel", layer="hidden")
    last = panel.locator(".bank").last
    last.scroll_into_view_if_needed()
    first = int(last.get_attribute("data-first") or "0")
    assert first > 64, "banks of about 32"
    pitch = panel.locator(".column-band").first.bounding_box()["width"]
    assert pitch >= 11
    last.get_by_test_id("matrix-bank").hover(position={"x": 1.5 * pitch, "y": 20})
    tab.wait("a cell", lambda state: (state["hover"] or {}).get("neuron") == order[first + 1])

    square = tab.get("instance-square").last
    square.scroll_into_view_if_needed()
    square.hover()
    tab.get("instance-card").get_by_text("predicted").wait_for()
    expect(tab.get("instance-card")).to_be_in_viewport()

    expect(tab.get("sort-picker")).to_be_hidden()
    tab.get("view-button").click()
    tab.get("sort-picker").select_option("natural")
    tab.wait("another order", lambda state: state["columns"]["hidden"] == list(range(LAYERS["hidden"])))
    tab.get("help-button").click()
    tab.get("help").get_by_text("What you see here").wait_for()
