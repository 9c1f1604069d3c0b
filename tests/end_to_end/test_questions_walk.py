"""The first walk of a user over the questions run, in real TensorBoard and real Chromium."""

import io
import json
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.end_to_end.conftest import QUESTION_EPOCHS
from tests.end_to_end.tab import Tab

LAYERS = ("concat", "hidden", "output")
RECORDED = (*LAYERS, "conv3", "conv4", "conv5")
CLASSES = ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM")
NUM, DESC, LOC = CLASSES.index("NUM"), CLASSES.index("DESC"), CLASSES.index("LOC")
RUN = "questions/dropout-0.5/activis"
STEP = QUESTION_EPOCHS - 1
YELLOW = "rgb(255, 213, 79)"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="session")
def url(questions_url: str) -> str:
    return questions_url


@pytest.fixture
def tab(url: str, open_tab: Callable[..., Tab]) -> Tab:
    tab = open_tab(url, hash_state=f"&p.activis.run={urlencode({'': RUN})[1:]}&p.activis.panels=closed")
    tab.wait("the run of the URL", lambda state: state["run"] == RUN)
    return tab


@pytest.fixture
def opened(tab: Tab) -> Tab:
    """The tab with the three layers open and their projections drawn."""
    for layer in LAYERS:
        tab.open_layer(layer)
    tab.leave()
    tab.wait("three projections", lambda state: all(state["projection"].get(layer) for layer in LAYERS))
    return tab


def fetch(url: str, route: str, **query: Any) -> bytes:
    parameters = urlencode({"run": RUN, "name": "test", "step": STEP, **query})
    with urllib.request.urlopen(f"{url}data/plugin/activis/{route}?{parameters}") as answer:
        return answer.read()


def instances(url: str) -> dict[str, Any]:
    return json.loads(fetch(url, "instances"))


def rows_of(mask: np.ndarray) -> list[int]:
    return np.flatnonzero(mask).tolist()


def test_the_recorded_tensors_are_yellow_in_the_graph(tab: Tab) -> None:
    tensors = tab.get("graph-tensor")
    tab.becomes(lambda: sorted(element.get_attribute("data-layer") for element in tensors.all()), sorted(RECORDED))
    fills = tensors.evaluate_all("all => all.map(one => getComputedStyle(one.querySelector('.dot')).fill)")
    assert set(fills) == {YELLOW}
    assert tab.state()["layers"] == []
    tab.screenshot("1-graph")


def test_a_click_on_each_opens_a_panel_with_rows_and_projection(opened: Tab) -> None:
    assert opened.state()["layers"] == list(LAYERS)
    for layer in LAYERS:
        labels = opened.get("panel", layer=layer).get_by_test_id("row-label")
        opened.becomes(
            lambda labels=labels: labels.evaluate_all("all => all.map(one => [one.dataset.kind, one.dataset.row])"),
            [*(["class", name] for name in CLASSES), ["subset", "What is"]],
        )
        assert opened.state()["projection"][layer]["points"] == 500
    opened.wait(
        "t-SNE everywhere", lambda state: all(state["projection"][layer]["method"] == "tsne" for layer in LAYERS)
    )
    opened.screenshot("2-panels")


def test_a_second_click_closes_the_panel(opened: Tab) -> None:
    opened.get("graph-tensor", layer="hidden").click()
    opened.wait("hidden is closed", lambda state: state["layers"] == ["concat", "output"])
    expect(opened.get("panel", layer="hidden")).to_have_count(0)


def test_hovering_a_class_row_lights_exactly_its_instances_everywhere(opened: Tab, url: str) -> None:
    expected = rows_of(np.array(instances(url)["label"]) == NUM)
    opened.hover_row("hidden", "NUM")
    state = opened.wait("NUM is highlighted", lambda state: state["highlighted"]["hidden"] == expected)
    assert {layer: state["highlighted"][layer] for layer in LAYERS} == dict.fromkeys(LAYERS, expected)
    opened.screenshot("3-hovered-row")
    opened.leave()
    opened.wait("nothing is highlighted", lambda state: not any(state["highlighted"].values()))


def test_hovering_the_subset_row_lights_its_members(opened: Tab, url: str) -> None:
    texts = next(column for column in instances(url)["attributes"] if column["name"] == "text")["texts"]
    expected = [row for row, text in enumerate(texts) if text.lower().startswith("what is ")]
    opened.hover_row("concat", "What is")
    opened.wait(
        "its members are highlighted", lambda state: all(state["highlighted"][layer] == expected for layer in LAYERS)
    )


def test_sorting_by_a_row_orders_every_panel_by_its_own_means(opened: Tab, url: str) -> None:
    before = opened.state()["columns"]
    opened.click_row("hidden", "LOC")
    state = opened.wait("sorted", lambda state: state["columns"]["hidden"] != before["hidden"])
    for layer in ("concat", "hidden"):
        means = np.load(io.BytesIO(fetch(url, "statistics", layer=layer, statistic="mean")))[LOC]
        shown = means[state["columns"][layer]]
        assert sorted(state["columns"][layer]) == list(range(len(means)))
        assert (np.diff(shown) <= 0).all(), layer
    assert state["columns"]["output"] == list(range(6))
    opened.screenshot("4-sorted")


def test_instances_stand_by_true_label_correct_left_misclassified_right(tab: Tab, url: str) -> None:
    columns = instances(url)
    expect(tab.get("instance-square")).to_have_count(len(columns["label"]))
    squares = tab.get("instance-square").evaluate_all(
        """all => all.map(one => ({
            row: Number(one.dataset.row), label: one.dataset.label, predicted: one.dataset.predicted,
            correct: one.dataset.correct === "true", left: one.getBoundingClientRect().left,
            border: getComputedStyle(one).borderTopColor, fill: getComputedStyle(one).backgroundColor,
            core: getComputedStyle(one).getPropertyValue("--truth").trim(),
        }))"""
    )
    assert sorted(square["row"] for square in squares) == list(range(len(columns["label"])))
    colour = {square["label"]: square["fill"] for square in squares if square["correct"]}
    assert len(set(colour.values())) == len(CLASSES)
    for name in CLASSES:
        correct = [square for square in squares if square["label"] == name and square["correct"]]
        wrong = [square for square in squares if square["label"] == name and not square["correct"]]
        assert {columns["label"][square["row"]] for square in correct + wrong} == {CLASSES.index(name)}
        scores = [columns["score"][square["row"]] for square in correct]
        assert scores == sorted(scores, reverse=True)
        for square in wrong:
            assert square["predicted"] == CLASSES[columns["predicted"][square["row"]]] != name
            assert square["border"] == colour[square["predicted"]]
            assert rgb(square["core"]) == colour[name]
        if wrong:
            assert max(square["left"] for square in correct) < min(square["left"] for square in wrong)


def rgb(colour: str) -> str:
    if not colour.startswith("#"):
        return colour
    return f"rgb({int(colour[1:3], 16)}, {int(colour[3:5], 16)}, {int(colour[5:7], 16)})"


def misclassified(url: str) -> int:
    """A misclassified row, a NUM question taken for DESC where there is one."""
    columns = instances(url)
    label, predicted = np.array(columns["label"]), np.array(columns["predicted"])
    for mask in ((label == NUM) & (predicted == DESC), label != predicted):
        if mask.any():
            return int(np.flatnonzero(mask)[0])
    pytest.fail("the model makes no error")


def kinds(tab: Tab, layer: str) -> list[str | None]:
    labels = tab.get("panel", layer=layer).get_by_test_id("row-label")
    return labels.evaluate_all("all => all.map(one => one.dataset.kind)")


def test_hovering_a_square_adds_a_row_everywhere_and_clicking_pins_it(opened: Tab, url: str) -> None:
    row = misclassified(url)
    columns = instances(url)
    question = next(column for column in columns["attributes"] if column["name"] == "text")["texts"][row]
    square = opened.get("instance-square", row=str(row))
    square.hover()
    opened.wait(
        "the instance is highlighted", lambda state: all(state["highlighted"][layer] == [row] for layer in LAYERS)
    )
    for layer in LAYERS:
        opened.becomes(lambda layer=layer: kinds(opened, layer)[-1], "temporary")
    expect(opened.get("instance-card")).to_contain_text(question, use_inner_text=True)
    opened.screenshot("5-hovered-instance")
    opened.leave()
    opened.wait("nothing is hovered", lambda state: state["hover"] is None)
    opened.becomes(lambda: any("temporary" in kinds(opened, layer) for layer in LAYERS), False)

    square.click()
    opened.leave()
    opened.wait("pinned", lambda state: len(state["pinned"]) == 1 and state["hover"] is None)
    for layer in LAYERS:
        opened.becomes(lambda layer=layer: kinds(opened, layer)[-1], "instance")
    opened.screenshot("6-pinned")
    square.click()
    opened.leave()
    opened.wait("unpinned", lambda state: state["pinned"] == [])


def test_a_reload_shows_the_same(opened: Tab, url: str) -> None:
    opened.click_row("hidden", "NUM")
    opened.get("instance-square", row=str(misclassified(url))).click()
    opened.leave()
    before = opened.wait("pinned", lambda state: state["pinned"])
    opened.page.reload()
    opened.get("tab").wait_for()
    url_state = ("run", "name", "step", "layers", "sort", "pinned")
    opened.wait("the same state", lambda state: {k: state[k] for k in url_state} == {k: before[k] for k in url_state})


@pytest.mark.parametrize("width", [1280, 1920])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_the_window(width: int, theme: str, url: str, open_tab: Callable[..., Tab]) -> None:
    query = "?darkMode=true" if theme == "dark" else ""
    tab = open_tab(url, width=width, height=width * 10 // 16, query=query, hash_state="&p.activis.panels=closed")
    for layer in LAYERS:
        tab.open_layer(layer)
    tab.leave()
    tab.wait(
        "t-SNE everywhere",
        lambda state: all((state["projection"].get(layer) or {}).get("method") == "tsne" for layer in LAYERS),
    )
    overflow = tab.frame.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow == 0
    tab.screenshot(f"{theme}-{width}")


def test_the_step_picker_leads_to_every_epoch(opened: Tab) -> None:
    opened.wait("the newest step", lambda state: state["step"] == STEP)
    slider = opened.get("step-picker")
    slider.focus()
    for step in range(STEP - 1, -1, -1):
        slider.press("ArrowLeft")
        opened.wait(f"step {step}", lambda state, step=step: state["step"] == step and state["projection"]["hidden"])
