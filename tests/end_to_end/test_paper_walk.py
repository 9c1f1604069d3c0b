"""The walk of the paper (section 1, Figs. 1-5) on the questions run: why are NUM questions taken for DESC?

Each step is what a user does; a screenshot of each is left in test-results, at 1280 and 1920 wide, light and dark.
"""

import io
import itertools
import json
import re
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
import pytest
from playwright.sync_api import Locator, expect
from sklearn.metrics import silhouette_score

from tests.end_to_end.conftest import QUESTION_EPOCHS, ROOT, made_once, run_demo, serve, wait_for_snapshots
from tests.end_to_end.tab import Tab

LAYERS = ("concat", "hidden", "output")
CLASSES = ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM")
RUN = "questions/dropout-0.5/activis"
LOOKS = [(width, theme) for width, theme in itertools.product((1280, 1920), ("light", "dark"))]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="session")
def url(questions_url: str) -> str:
    return questions_url


@pytest.fixture(scope="module")
def income_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The demo of a table, on the data that scikit-learn ships."""
    runs = made_once(tmp_path_factory, "income", lambda logdir: run_demo("income.py", logdir, "--epochs", "2"))
    with serve(runs) as url:
        wait_for_snapshots(url, 2)
        yield url


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


COUNT_CLICKS = """addEventListener("click", (event) => {
    // A key that presses a button is no click, and neither is what a script does.
    if (event.isTrusted && event.detail > 0) window.clicks = (window.clicks ?? 0) + 1;
}, true)"""


def promised() -> dict[str, dict[str, int]]:
    """By person and step of the paper, the clicks that docs/tab.md says it takes."""
    page = (ROOT / "docs" / "tab.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| (\w+) \| ([^|]+) \| (\d) \|$", page.split("## The paper's walk")[1], re.MULTILINE)
    steps: dict[str, dict[str, int]] = {}
    for person, step, clicks in table:
        steps.setdefault(person, {})[step] = int(clicks)
    return steps


class Walk:
    """The steps of one person at 1440 by 900, each with the clicks that it takes."""

    def __init__(self, begin: Callable[[], Tab], person: str) -> None:
        self._begin = begin
        self.tab = begin()
        self.person = person
        self._left = promised()[person]

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        before = self._clicks()
        yield
        taken = self._clicks() - before
        assert taken <= self._left.pop(name), f"{self.person}, {name}: {taken} clicks"
        self.tab.painted()
        self.tab.screenshot(f"walk-{self.person}-{len(self._left)}")

    def begin_anew(self) -> Tab:
        """Opens the tab again as it is at first."""
        self.tab = self._begin()
        return self.tab

    def ends(self) -> None:
        assert self._left == {}, "the page says nothing of steps that nobody takes"

    def sees(self, *elements: Locator) -> None:
        """Checks that the middles of these are in sight, and that the page was not scrolled for it."""
        for element in elements:
            self.tab.becomes(lambda element=element: element.evaluate(SEEN), True)
        assert self.tab.frame.evaluate("document.scrollingElement.scrollTop") == 0

    def _clicks(self) -> int:
        return self.tab.frame.evaluate("window.clicks ?? 0")


SEEN = """element => {
    const { left, top, width, height } = element.getBoundingClientRect();
    const [x, y] = [left + width / 2, top + height / 2];
    if (x < 0 || y < 0 || x > innerWidth || y > innerHeight) return false;
    const at = document.elementFromPoint(x, y);
    const panel = element.closest(".panel");
    return element.contains(at) || at.contains(element) || (panel !== null && panel.contains(at));
}"""


def begin(open_tab: Callable[..., Tab], url: str, person: str, run: str = RUN) -> Walk:
    state = f"&p.activis.run={quote(run, safe='')}"
    return Walk(lambda: open_tab(url, width=1440, height=900, hash_state=state, script=COUNT_CLICKS), person)


def test_susan_finds_why_numbers_are_taken_for_descriptions(
    url: str, columns: dict[str, Any], open_tab: Callable[..., Tab]
) -> None:
    susan = begin(open_tab, url, "Susan")
    tab = susan.tab
    hidden, output = tab.get("panel", layer="hidden"), tab.get("panel", layer="output")
    with susan.step("the last hidden layer and the output, each class with neurons of its own"):
        tab.wait_for_cells("hidden", "output")
        susan.sees(tab.get("graph"), *(panel.get_by_test_id("projection") for panel in (hidden, output)))
        susan.sees(*(tab.row_label(layer, name) for layer in ("hidden", "output") for name in CLASSES))
    with susan.step("neurons sorted by a class"):
        tab.click_row("hidden", "NUM")
        tab.wait("sorted", lambda state: state["sort"] == "class:NUM")
    num = [row for row, label in enumerate(columns["label"]) if CLASSES[label] == "NUM"]
    with susan.step("a class among the dots and squares"):
        tab.leave()
        tab.hover_row("hidden", "NUM")
        tab.wait("NUM is lit", lambda state: state["highlighted"]["hidden"] == num)
        susan.sees(tab.get("instance-square", label="NUM", correct="true").first)
    wrong, right = rows_where(columns, "NUM", False), rows_where(columns, "NUM", True)
    texts = next(column for column in columns["attributes"] if column["name"] == "text")["texts"]
    with susan.step("what its misclassified questions are taken for, and their texts"):
        for row in wrong[:3]:
            square = tab.get("instance-square", row=str(row))
            square.hover()
            tab.wait("it is read", lambda state, row=row: state["highlighted"]["hidden"] == [row])
            susan.sees(square, tab.get("instance-card"))
            tab.becomes(lambda row=row: texts[row] in tab.get("instance-card").inner_text(), True)
    with susan.step("two right and two wrong ones pinned, as rows side by side"):
        pinned = [*right[:2], *wrong[:2]]
        for row in pinned:
            tab.get("instance-square", row=str(row)).click()
        tab.leave()
        tab.wait("they are pinned", lambda state: len(state["pinned"]) == len(pinned))
        labels = hidden.locator('[data-kind="instance"]')
        expect(labels).to_have_count(len(pinned))
        susan.sees(*labels.all())
    with susan.step("a subset of her own, typed"):
        tab.get("subset-input").click()
        tab.get("subset-input").press_sequentially("text ILIKE 'what is the%'")
        tab.get("subset-count", status="counted").wait_for()
        tab.get("subset-input").press("Enter")
        tab.get("subset-input").press("Escape")
        tab.wait("its row", lambda state: state["subsets"] and state["subsets"][0]["count"])
        susan.sees(tab.row_label("hidden", "text ILIKE 'what is the%'"))
    tab = susan.begin_anew()
    with susan.step("three layers below each other, the graph a bar"):
        tab.wait_for_cells("hidden", "output")
        tab.open_layer("concat")
        tab.get("slim-graph").click()
        tab.leave()
        tab.wait_for_cells(*LAYERS)
        susan.sees(*(tab.get("panel", layer=layer).get_by_test_id("projection") for layer in LAYERS))
        susan.sees(*(tab.row_label(layer, name) for layer in LAYERS for name in CLASSES))
    susan.ends()


def test_bob_looks_at_the_operators_and_his_test_cases(url: str, income_url: str, open_tab: Callable[..., Tab]) -> None:
    bob = begin(open_tab, url, "Bob")
    tab = bob.tab
    with bob.step("the operators of a convolution, and how it pads"):
        for group in ("conv3", "convolution"):
            tab.get("graph").get_by_role("button", name=f"Open {group}").click()
        tab.get("graph").get_by_role("button", name=re.compile("^Operator Conv")).first.click()
        expect(tab.get("node-card")).to_contain_text("VALID")
        bob.sees(tab.get("node-card"))
    tab.url = income_url
    tab.open()
    with bob.step("how his test cases fare"):
        expect(tab.get("test-cases")).to_contain_text("as expected", use_inner_text=True)
        bob.sees(tab.get("test-case").first)
    bob.ends()


def test_carol_looks_for_dead_neurons_and_compares_two_models(url: str, open_tab: Callable[..., Tab]) -> None:
    carol = begin(open_tab, url, "Carol")
    tab = carol.tab
    with carol.step("how many neurons are dead"):
        health = tab.get("panel", layer="hidden").get_by_test_id("health")
        expect(health).to_contain_text(re.compile(r"\d+ dead"))
        carol.sees(health.get_by_text(re.compile(r"\d+ dead")).last)
    with carol.step("another model beside it, neurons matched"):
        tab.get("compare-add").click()
        tab.get("candidate", label="questions/dropout-0.0").click()
        tab.wait(
            "its neurons",
            lambda state: state["sides"] and state["sides"][0]["layers"].get("hidden", {}).get("partners"),
        )
        carol.sees(tab.get("side", side="B").first.get_by_test_id("matrix"))
    carol.ends()


def test_alice_compares_subsets_of_two_classes(income_url: str, open_tab: Callable[..., Tab]) -> None:
    alice = begin(open_tab, income_url, "Alice", "income/dense/activis")
    tab = alice.tab
    with alice.step("positive against negative in the output layer"):
        tab.wait_for_cells("hidden_2", "output")
        alice.sees(tab.get("panel", layer="output").get_by_test_id("projection"))
    with alice.step("a quarter of an attribute as a row"):
        tab.get("fields").click()
        tab.get("field-quarter").first.click()
        tab.wait("its row", lambda state: state["subsets"] and state["subsets"][0]["count"])
        tab.page.keyboard.press("Escape")
        name = tab.state()["subsets"][0]["name"]
        expect(tab.row_label("hidden_2", name)).to_have_count(1)
    with alice.step("the neurons that single that row out"):
        tab.click_row("hidden_2", name)
        tab.frame.get_by_role("button", name="singled out").click()
        tab.wait_for_address("p.activis.by=apart")
    with alice.step("one layer alone, the graph a path"):
        tab.get("panel", layer="hidden_2").get_by_test_id("maximise").click()
        alice.sees(tab.get("graph-path"))
        alice.sees(tab.get("panel", layer="hidden_2").get_by_test_id("matrix").first)
    alice.ends()


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
    return bool(shown) and shown["method"] == "tsne" and shown["done"]
