"""Instances without a prediction and data without labels in the tab: shown and counted, nothing claimed."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

import activis_tb
from tests.end_to_end.conftest import serve, wait_for_snapshots
from tests.end_to_end.tab import Tab

CLASSES = ("cat", "dog", "bird")
ROWS = 30
LABEL = np.arange(ROWS) % 3
PREDICTED = np.where(np.arange(ROWS) % 10 == 0, (LABEL + 1) % 3, LABEL)
BROKEN = np.arange(ROWS) % 6 == 1
OpenTab = Callable[..., Tab]


def record(logdir: Path, run: str, labels: np.ndarray | None, scores: np.ndarray) -> None:
    hidden = np.abs(np.random.default_rng(1).normal(size=(ROWS, 20))) + LABEL[:, None]
    begin = {"step": 0, "layers": ["hidden", "output"], "classes": CLASSES, "quiet": True}
    with warnings.catch_warnings(), activis_tb.preprocess(logdir / run, **begin) as snapshot:
        warnings.simplefilter("ignore")
        activations = {"hidden": hidden, "output": np.nan_to_num(scores)}
        snapshot.process(labels=labels, scores=scores, ids=np.arange(ROWS), activations=activations)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    logdir = tmp_path_factory.mktemp("judgements") / "runs"
    scores = np.full((ROWS, 3), 0.1)
    scores[np.arange(ROWS), PREDICTED] = 0.8
    broken = np.where(BROKEN[:, None], np.nan, scores)
    record(logdir, "labelled", LABEL, scores)
    record(logdir, "broken", LABEL, broken)
    record(logdir, "bare", None, broken)
    with serve(logdir) as address:
        wait_for_snapshots(address, 3)
        yield address


def opened(open_tab: OpenTab, url: str, run: str, more: str = "") -> Tab:
    tab = open_tab(url, hash_state=f"&p.activis.run={run}%2Factivis&p.activis.layers=hidden,output{more}")
    tab.get("panel", layer="output").wait_for()
    return tab


def test_an_instance_without_prediction_is_shown_and_counted_as_such(open_tab: OpenTab, url: str) -> None:
    tab = opened(open_tab, url, "broken")
    right = (LABEL == PREDICTED) & ~BROKEN
    expect(tab.get("instances")).to_contain_text(f"{100 * right.mean():.1f} % correct", use_inner_text=True)
    squares = tab.get("instance-square", correct="false")
    squares.first.wait_for()
    expect(squares).to_have_count(int((~right).sum()))
    nothing = tab.get("instances").locator(".instance-glyph.nothing[data-row]")
    expect(nothing).to_have_count(int(BROKEN.sum()))
    nothing.first.hover()
    card = tab.get("instance-card")
    card.get_by_text("no prediction").wait_for()
    expect(card).to_contain_text("Some of its scores are not finite", use_inner_text=True)
    cell = tab.get("prediction", row="-1", label="3")
    expect(cell).to_have_attribute("title", "Make a subset of the instances with no prediction")
    cell.click()
    row = tab.get("panel", layer="hidden").locator('[data-testid="row-label"][data-row="no prediction"]')
    row.get_by_text(str(BROKEN.sum()), exact=True).wait_for()


def test_data_without_labels_claims_no_accuracy(open_tab: OpenTab, url: str) -> None:
    tab = opened(open_tab, url, "bare")
    instances = tab.get("instances")
    tab.get("instance-square").first.wait_for()
    expect(instances).to_contain_text("no labels")
    tab.becomes(instances.locator(".instance-group .class-name").all_inner_texts, [*CLASSES, "no prediction"])
    text = instances.inner_text()
    assert ("no labels" in text, "correct" in text, "misclassified" in text) == (True, False, False)
    expect(tab.get("instance-square", predicted="cat")).to_have_count(int(((PREDICTED == 0) & ~BROKEN).sum()))
    assert (
        tab.get("instance-square", correct="false").count() == tab.get("instance-square", correct="true").count() == 0
    )
    expect(tab.get("panel", layer="output")).to_contain_text("unlabelled")
    output = tab.get("panel", layer="output").inner_text()
    assert ("unlabelled" in output, "accuracy" in output) == (True, False)
    colours = tab.get("panel", layer="hidden").locator('[data-testid="colour-picker"]')
    expect(colours).to_have_value("predicted")
    tab.get("subset-input").fill("score > 0.5")
    tab.get("subset-count", status="counted").wait_for()
    assert "correct" not in (tab.get("subset-count").locator("[title]").first.get_attribute("title") or "")


@pytest.mark.parametrize(("base", "other"), [("labelled", "bare"), ("bare", "labelled")])
def test_a_run_without_labels_is_compared_by_its_predictions(
    open_tab: OpenTab, url: str, base: str, other: str
) -> None:
    tab = opened(open_tab, url, base, f"&p.activis.vs={other}%2Factivis,validation,0")
    tab.get("same-prediction").wait_for()
    expect(tab.get("same-prediction")).to_have_text(f"same prediction on {(~BROKEN).sum()} of {ROWS}")
    expect(tab.get("outcome")).to_have_count(0)
    different = tab.get("squares", change="different").get_by_test_id("changed-square")
    expect(different).to_have_count(int(BROKEN.sum()))
    tab.becomes(
        lambda: ["no accuracy" in text for text in tab.get("accuracy").all_inner_texts()],
        [run == "bare" for run in (base, other)],
    )
