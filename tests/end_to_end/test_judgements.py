"""Instances without a prediction and data without labels in the tab: shown and counted, nothing claimed."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

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
    assert f"{100 * right.mean():.1f} % correct" in tab.get("instances").inner_text()
    squares = tab.get("instance-square", correct="false")
    squares.first.wait_for()
    assert squares.count() == (~right).sum()
    nothing = tab.get("instances").locator(".instance-glyph.nothing[data-row]")
    assert nothing.count() == BROKEN.sum()
    nothing.first.hover()
    card = tab.get("instance-card")
    card.get_by_text("no prediction").wait_for()
    assert "Some of its scores are not finite" in card.inner_text()
    cell = tab.get("prediction", row="-1", label="3")
    assert cell.get_attribute("title") == "Make a subset of the instances with no prediction"
    cell.click()
    row = tab.get("panel", layer="hidden").locator('[data-testid="row-label"][data-row="no prediction"]')
    row.get_by_text(str(BROKEN.sum()), exact=True).wait_for()


def test_data_without_labels_claims_no_accuracy(open_tab: OpenTab, url: str) -> None:
    tab = opened(open_tab, url, "bare")
    instances = tab.get("instances")
    tab.get("instance-square").first.wait_for()
    text = instances.inner_text()
    assert ("no labels" in text, "correct" in text, "misclassified" in text) == (True, False, False)
    headings = instances.locator(".instance-group .class-name").all_inner_texts()
    assert headings == [*CLASSES, "no prediction"]
    assert tab.get("instance-square", predicted="cat").count() == ((PREDICTED == 0) & ~BROKEN).sum()
    assert (
        tab.get("instance-square", correct="false").count() == tab.get("instance-square", correct="true").count() == 0
    )
    output = tab.get("panel", layer="output").inner_text()
    assert ("unlabelled" in output, "accuracy" in output) == (True, False)
    colours = tab.get("panel", layer="hidden").locator('[data-testid="colour-picker"]')
    assert colours.input_value() == "predicted"
    tab.get("subset-input").fill("score > 0.5")
    tab.get("subset-count", status="counted").wait_for()
    assert "correct" not in (tab.get("subset-count").locator("[title]").first.get_attribute("title") or "")


@pytest.mark.parametrize(("base", "other"), [("labelled", "bare"), ("bare", "labelled")])
def test_a_run_without_labels_is_compared_by_its_predictions(
    open_tab: OpenTab, url: str, base: str, other: str
) -> None:
    tab = opened(open_tab, url, base, f"&p.activis.vs={other}%2Factivis,validation,0")
    tab.get("same-prediction").wait_for()
    assert tab.get("same-prediction").inner_text() == f"same prediction on {(~BROKEN).sum()} of {ROWS}"
    assert tab.get("outcome").count() == 0
    assert tab.get("squares", change="different").locator('[data-testid="changed-square"]').count() == BROKEN.sum()
    accuracies = tab.get("accuracy").all_inner_texts()
    assert ["no accuracy" in text for text in accuracies] == [run == "bare" for run in (base, other)]
