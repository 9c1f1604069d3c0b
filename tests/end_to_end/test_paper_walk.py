"""The walk of the paper (section 1, Figs. 1-5) on the questions run: why are NUM questions taken for DESC?

Each step is what a user does; a screenshot of each is left in test-results, at 1280 and 1920 wide, light and dark.
"""

import io
import itertools
import json
import urllib.request
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
import pytest
from playwright.sync_api import expect
from sklearn.metrics import silhouette_score

from tests.end_to_end.conftest import QUESTION_EPOCHS
from tests.end_to_end.tab import Tab

LAYERS = ("concat", "hidden", "output")
CLASSES = ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM")
RUN = "questions/dropout-0.5/activis"
LOOKS = [(width, theme) for width, theme in itertools.product((1280, 1920), ("light", "dark"))]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="session")
def url(questions_url: str) -> str:
    return questions_url


def fetch(url: str, route: str, **query: Any) -> bytes:
    parameters = urlencode({"run": RUN, "name": "test", "step": QUESTION_EPOCHS - 1, **query})
    with urllib.request.urlopen(f"{url}data/plugin/activis/{route}?{parameters}") as answer:
        return answer.read()


def array(url: str, route: str, **query: Any) -> np.ndarray:
    return np.load(io.BytesIO(fetch(url, route, **query)))


@pytest.fixture(scope="module")
def columns(url: str) -> dict[str, Any]:
    return json.loads(fetch(url, "instances"))


def rows_where(columns: dict[str, Any], label: str, correct: bool) -> list[int]:
    pairs = enumerate(zip(columns["label"], columns["predicted"], strict=True))
    position = CLASSES.index(label)
    return [row for row, (truth, predicted) in pairs if truth == position and (predicted == truth) is correct]


def test_every_class_has_neurons_of_its_own(url: str) -> None:
    means = array(url, "statistics", layer="hidden", statistic="mean")[: len(CLASSES)]
    strongest = Counter(CLASSES[position] for position in means[:, means.max(axis=0) > 0].argmax(axis=0))
    assert set(strongest) == set(CLASSES)


def test_classes_part_towards_the_output(url: str, columns: dict[str, Any]) -> None:
    separation = {layer: silhouette_score(array(url, "activations", layer=layer), columns["label"]) for layer in LAYERS}
    assert separation["concat"] < separation["hidden"] < separation["output"]


def test_questions_that_begin_with_what_is_are_harder(url: str) -> None:
    run = next(one for one in json.loads(fetch(url, "runs"))["runs"] if one["run"] == RUN)
    newest = max(run["snapshots"], key=lambda snapshot: snapshot["step"])
    what_is = next(subset for subset in newest["subsets"] if subset["name"] == "What is")
    classes = [subset for subset in newest["subsets"] if subset["kind"] == "class"]
    count, correct = (sum(subset[key] for subset in classes) for key in ("count", "correct"))
    others = (correct - what_is["correct"]) / (count - what_is["count"])
    assert what_is["correct"] / what_is["count"] < others


def test_the_first_matrix_takes_no_click(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, width=1440, height=900)
    tab.wait_for_cells("hidden", "output")
    tab.screenshot("walk-first-contact")


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_the_walk(
    width: int, theme: str, url: str, columns: dict[str, Any], open_tab: Callable[..., Tab], request: Any
) -> None:
    data = request.node.callspec.params["questions"]
    query = "?darkMode=true" if theme == "dark" else ""
    state = f"&p.activis.run={quote(RUN, safe='')}&p.activis.panels=closed"
    tab = open_tab(url, width=width, height=width * 5 // 8, query=query, hash_state=state)
    steps = itertools.count(1)

    def shot(what: str) -> None:
        tab.painted()
        tab.screenshot(f"walk-{data}-{width}-{theme}-{next(steps)}-{what}")

    tab.get("graph-tensor").first.wait_for()
    shot("graph")

    tab.open_layer("hidden")
    tab.leave()
    tab.wait("t-SNE of hidden", lambda state: settled(state, "hidden"))
    shot("hidden")

    num = [row for row, label in enumerate(columns["label"]) if CLASSES[label] == "NUM"]
    tab.hover_row("hidden", "NUM")
    tab.wait("NUM is highlighted", lambda state: state["highlighted"]["hidden"] == num)
    shot("num-not-separated")

    wrong, right = rows_where(columns, "NUM", False), rows_where(columns, "NUM", True)
    texts = next(column for column in columns["attributes"] if column["name"] == "text")["texts"]
    for row in wrong[:3]:
        tab.get("instance-square", row=str(row)).hover()
        tab.wait("it is read", lambda state, row=row: state["highlighted"]["hidden"] == [row])
        tab.becomes(lambda row=row: texts[row] in tab.get("instance-card").inner_text(), True)
    shot("num-misclassified")

    for row in [*right[:2], *wrong[:2]]:
        tab.get("instance-square", row=str(row)).click()
    tab.leave()
    pinned = len(right[:2]) + len(wrong[:2])
    tab.wait("they are pinned", lambda state: len(state["pinned"]) == pinned)
    expect(tab.get("panel", layer="hidden").locator('[data-kind="instance"]')).to_have_count(pinned)
    shot("pinned")

    if data == "trec":
        borders = Counter(CLASSES[columns["predicted"][row]] for row in wrong)
        assert borders.most_common(1)[0][0] == "DESC"
        shown = tab.get("instance-square", label="NUM", correct="false", predicted="DESC")
        expect(shown).to_have_count(int(borders["DESC"]))

    tab.click_row("hidden", "NUM")
    tab.hover_row("hidden", "What is")
    tab.wait("the subset is highlighted", lambda state: state["sort"] != "" and state["highlighted"]["hidden"])
    shot("what-is")

    for layer in ("concat", "output"):
        tab.open_layer(layer)
    tab.leave()
    tab.wait("three layers", lambda state: all(settled(state, layer) for layer in LAYERS))
    assert tab.state()["layers"] == list(LAYERS)
    shot("three-layers")

    before = tab.state()
    tab.page.reload()
    tab.get("tab").wait_for()
    url_state = ("run", "name", "step", "layers", "sort", "pinned")
    tab.wait("the same state", lambda state: {k: state[k] for k in url_state} == {k: before[k] for k in url_state})


def settled(state: dict[str, Any], layer: str) -> bool:
    """Whether the layer shows its finished t-SNE."""
    shown = state["projection"].get(layer)
    return bool(shown) and shown["method"] == "tsne" and shown["iteration"] >= 650
