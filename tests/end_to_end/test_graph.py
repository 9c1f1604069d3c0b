"""The computation graph as the way in: groups, search, cards, sources, and what is said of broken graphs."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, expect
from tensorboard.compat.proto.graph_pb2 import GraphDef

from tests.end_to_end.axe import violations
from tests.end_to_end.conftest import serve, wait_for_snapshots
from tests.end_to_end.tab import Tab
from tests.snapshots import make_snapshot, write_graph, write_snapshot

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=\"window.top.hacked='yes'\">"
STEPS = 12
"""Operators before the encoder: so many that its groups are closed at first."""


def walk_graph() -> GraphDef:
    """Steps, then an encoder of two dense layers; `head` waits for the first step."""
    graph = GraphDef()
    graph.node.add(name="pixels", op="Placeholder")
    for step in range(STEPS):
        graph.node.add(name=f"step{step}", op="Tanh", input=[f"step{step - 1}" if step else "pixels"])
    before = f"step{STEPS - 1}"
    for layer in ("encoder/first", "encoder/second"):
        graph.node.add(name=f"{layer}/kernel", op="VariableV2")
        graph.node.add(name=f"{layer}/MatMul", op="MatMul", input=[before, f"{layer}/kernel"])
        graph.node.add(name=f"{layer}/Sigmoid", op="Sigmoid", input=[f"{layer}/MatMul"])
        before = f"{layer}/Sigmoid"
    graph.node.add(name="head", op="Softmax", input=[before, "^step0"], device="/device:CPU:0")
    return graph


def write_walk(logdir: Path) -> None:
    snapshot = make_snapshot(
        {"head": [[0, 1], [0, 2], [0, 3], [0, 4]]}, labels=[0, 1, 0, 1], tensors={"head": "head:0"}
    )
    write_snapshot(logdir, "walk/activis", snapshot)
    write_graph(logdir, "walk/activis", walk_graph().SerializeToString())
    other = GraphDef()
    other.node.add(name="pixels", op="Placeholder")
    other.node.add(name="head", op="Elu", input=["pixels"])
    write_graph(logdir, "walk/train", other.SerializeToString())


def write_broken(logdir: Path) -> None:
    """A graph with a circle, a missing input, a name that is there twice, one with HTML, and a very long one."""
    graph = GraphDef()
    graph.node.add(name="pixels", op="Placeholder")
    graph.node.add(name="first", op="Add", input=["pixels", "second"])
    graph.node.add(name="second", op="Relu", input=["first"])
    graph.node.add(name="second", op="Relu", input=["first"])
    graph.node.add(name="third", op=HOSTILE, input=["nowhere", "second"])
    graph.node.add(name="long/" + "x" * 10_000, op="Relu", input=["third"])
    write_snapshot(logdir, "broken", make_snapshot({"third": np.ones((2, 3))}, labels=[0, 1]))
    write_graph(logdir, "broken", graph.SerializeToString())


def write_ambiguous(logdir: Path) -> None:
    """Two branches have a `hidden`, and nothing of the graph is named like the other layer."""
    graph = GraphDef()
    graph.node.add(name="pixels", op="Placeholder")
    for branch in ("left", "right"):
        graph.node.add(name=f"{branch}/hidden/Relu", op="Relu", input=["pixels"])
    graph.node.add(name="joined", op="Add", input=["left/hidden/Relu", "right/hidden/Relu"])
    activations = {"hidden": np.eye(2), "elsewhere": np.eye(2)}
    write_snapshot(logdir, "ambiguous", make_snapshot(activations, labels=[0, 1]))
    write_graph(logdir, "ambiguous", graph.SerializeToString())


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    logdir = tmp_path_factory.mktemp("graphs") / "runs"
    write_walk(logdir)
    write_broken(logdir)
    write_ambiguous(logdir)
    with serve(logdir) as url:
        wait_for_snapshots(url, 3)
        yield url


@pytest.fixture
def tab(url: str, open_tab: Callable[..., Tab]) -> Tab:
    tab = open_tab(url, hash_state="&p.activis.run=walk%2Factivis&p.activis.panels=closed&p.activis.graph=tall")
    tab.get("graph-tensor", layer="head").wait_for()
    return tab


def group(tab: Tab, name: str) -> Locator:
    return tab.get("graph").get_by_role("button", name=name)


def left_and_middle(tab: Tab, name: str) -> tuple[float, float]:
    """Where on screen the middle of a group's left side is."""
    box = tab.frame.evaluate(
        """name => {
            const button = document.querySelector(`[data-testid=graph-group][aria-label^="${name}"]`);
            const shape = button.closest("[data-node]").querySelector(".closed-group, :scope > rect");
            const {left, top, height} = shape.getBoundingClientRect();
            return [left, top + height / 2];
        }""",
        name,
    )
    return tuple(box)


def test_groups_are_closed_at_first_and_a_layout_comes_from_a_worker(tab: Tab) -> None:
    expect(group(tab, "Open encoder 4 ops")).to_have_count(1)
    expect(tab.get("graph").get_by_text("MatMul")).to_have_count(0)
    loaded = tab.frame.evaluate(
        "performance.getEntriesByType('resource').map(({name, initiatorType}) => [name, initiatorType])"
    )
    workers = [initiator for name, initiator in loaded if name.endswith("/graph_placing.js")]
    assert workers == ["other"], "a worker is neither fetched as a script of the page nor at all blocked"
    assert violations(tab) == []


def test_a_group_opens_and_closes_in_place(tab: Tab) -> None:
    before = left_and_middle(tab, "Open encoder")
    step = tab.get("graph").locator("[data-node='step0']")
    place = step.bounding_box()
    group(tab, "Open encoder 4 ops").click()
    group(tab, "Close encoder").wait_for()
    assert left_and_middle(tab, "Close encoder") == pytest.approx(before, abs=1)
    assert step.bounding_box()["x"] == pytest.approx(place["x"], abs=1)
    group(tab, "Open first").click()
    tab.get("graph").get_by_text("MatMul").wait_for()
    tab.screenshot("graph-opened")
    group(tab, "Close encoder").click()
    group(tab, "Open encoder 4 ops").wait_for()
    assert left_and_middle(tab, "Open encoder") == pytest.approx(before, abs=1)


def test_search_opens_the_way_and_the_breadcrumb_names_it(tab: Tab) -> None:
    tab.get("find-node").fill("second/MatMul")
    tab.get("graph").locator(".located").get_by_text("MatMul").wait_for()
    crumbs = tab.get("graph-crumb")
    tab.becomes(crumbs.all_inner_texts, ["encoder", "second"])
    crumbs.first.click()
    tab.get("graph").locator(".located").get_by_text("encoder").wait_for()


def test_an_operators_card_tells_its_parameters_and_whom_it_waits_for(tab: Tab) -> None:
    tab.get("find-node").fill("first/MatMul")
    tab.get("graph").get_by_role("button", name="Operator MatMul").click()
    card = tab.get("node-card")
    card.get_by_text("kernel", exact=False).first.wait_for()
    group(tab, "Operator Softmax").focus()
    tab.page.keyboard.press("Enter")
    card.get_by_text("waits for").wait_for()
    expect(card).to_contain_text("step0", use_inner_text=True)
    expect(card).to_contain_text("CPU:0", use_inner_text=True)
    # The control edge of the node that is looked at.
    expect(tab.get("graph-aside")).to_have_count(1)
    assert violations(tab) == []
    tab.page.keyboard.press("Escape")
    card.wait_for(state="hidden")


def test_a_tensor_that_is_not_recorded_says_which_line_records_it(tab: Tab) -> None:
    group(tab, "Open encoder 4 ops").click()
    group(tab, "Tensor first, not recorded").click()
    line = tab.get("how-to-record")
    expect(line.locator("code")).to_have_text('layers=["head", "first"],', use_inner_text=True)
    line.get_by_role("button", name="PyTorch").click()
    expect(line.locator("code")).to_have_text(
        'with activis_tb.torch.capture(model, ["head", "encoder.first"]) as captured:'
    )
    line.get_by_role("button", name="TensorFlow").click()
    expect(line.locator("code")).to_have_text('{"head": head, "first": first},', use_inner_text=True)
    tab.screenshot("graph-how-to-record")
    line.get_by_role("button", name="Copy the line").click()
    line.get_by_text("copied").wait_for()


def test_arrow_keys_go_from_node_to_node(tab: Tab) -> None:
    tab.get("graph-tensor", layer="head").focus()
    tab.page.keyboard.press("ArrowLeft")
    tab.frame.wait_for_function("document.activeElement.getAttribute('aria-label') === 'Operator Softmax, head'")


def test_a_recorded_tensor_opens_its_panel_and_wears_its_health(tab: Tab) -> None:
    tab.get("graph-health", layer="head").wait_for()
    expect(tab.get("graph-health", layer="head").locator("title")).to_have_text(re.compile("^1 of 2 neurons dead"))
    tab.open_layer("head")


def test_a_neighbours_name_in_a_panel_shows_it_in_the_graph(tab: Tab) -> None:
    tab.open_layer("head")
    tab.get("panel", layer="head").get_by_text("Softmax").hover()
    tab.get("graph").locator(".located").get_by_text("Softmax").wait_for()
    tab.leave()
    tab.get("graph").locator(".located").wait_for(state="detached")


def test_another_source_is_chosen_and_kept_in_the_address(tab: Tab, open_tab: Callable[..., Tab]) -> None:
    tab.get("graph-source").locator("option", has_text="train").first.wait_for(state="attached")
    options = tab.get("graph-source").locator("option").all_inner_texts()
    tab.get("graph-source").select_option(label=next(option for option in options if "train" in option))
    tab.get("graph").get_by_text("Elu").wait_for()
    tab.wait_for_address("p.activis.source=")
    again = open_tab(tab.url, hash_state=tab.page.url.partition("#activis")[2])
    again.get("graph").get_by_text("Elu").wait_for()


def test_a_source_that_is_gone_is_said_and_the_best_one_offered(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state="&p.activis.run=walk%2Factivis&p.activis.source=gone")
    tab.get("graph").get_by_text("gone").wait_for()
    tab.get("graph").get_by_role("button", name="Try again").click()
    tab.get("graph-tensor", layer="head").wait_for()
    # The browser itself reports the 404.
    tab.complaints.clear()


def test_a_broken_graph_shows_what_it_can_and_says_what_is_wrong(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state="&p.activis.run=broken&p.activis.graph=tall")
    warnings = tab.get("graph-warning")
    warnings.wait_for()
    expect(warnings).to_contain_text("more)", use_inner_text=True)
    readout = tab.get("graph").locator(".graph-readout[title]")
    readout.wait_for()
    for name in ("'second'", "'nowhere'"):
        expect(readout).to_have_attribute("title", re.compile(name))
    tab.get("graph").get_by_text("Add").wait_for()
    tab.screenshot("graph-broken")
    assert tab.page.evaluate("window.hacked") is None
    assert tab.frame.evaluate("document.images.length") == 0


def test_a_graph_that_leaves_layers_open_is_shown_and_opens_them(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state="&p.activis.run=ambiguous&p.activis.graph=tall")
    candidates = tab.get("graph").locator("[aria-label*='perhaps hidden']")
    candidates.first.wait_for()
    expect(candidates).to_have_count(2)
    unplaced = tab.get("graph").locator(".unplaced")
    expect(unplaced).to_have_text(re.compile("^not in the graph:"), use_inner_text=True)
    expect(unplaced).to_contain_text("elsewhere", use_inner_text=True)
    expect(tab.get("graph-source").locator("option").last).to_have_text("recorded layers", use_inner_text=True)
    candidates.first.click()
    tab.get("layer-candidate", layer="hidden").click()
    tab.get("panel", layer="hidden").wait_for()
    tab.screenshot("graph-ambiguous")
