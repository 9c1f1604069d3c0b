"""Runs and steps side by side: same rows and instances, matched neurons, differences, who was fixed and who broke."""

import json
import re
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect
from scipy.optimize import linear_sum_assignment

import activis_tb
from tests.end_to_end import planted_runs as planted
from tests.end_to_end.axe import violations
from tests.end_to_end.conftest import serve, wait_for_snapshots
from tests.end_to_end.tab import Tab
from tests.snapshots import make_snapshot, write_snapshot

pytestmark = pytest.mark.browser

BASE = "&p.activis.run=base&p.activis.step=1&p.activis.layers=hidden,output&p.activis.projection=pca"
AGAINST_OTHER = f"{BASE}&p.activis.graph=slim&p.activis.vs=other,validation,1"
PARTNERS = np.argsort(planted.ORDER)
"""By neuron of `base`, the neuron of `other` that is like it; that of the noise is what is left."""


DRIFT = np.where(planted.LABELS == 1, 4.0, 0)[:, None] * (np.arange(planted.NEURONS) % 3 == 0)
DRIFTED = (2.5 * planted.HIDDEN[:, planted.ORDER] + 3 + DRIFT).astype(np.float32)
"""Of the run `drifted`: on another scale, and higher for bees in every third neuron."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    logdir = tmp_path_factory.mktemp("compare") / "runs"
    count = planted.write_planted(logdir)
    drifted = make_snapshot(
        {"hidden": DRIFTED, "output": planted.OTHER_SCORES},
        labels=planted.LABELS.tolist(),
        classes=planted.CLASSES,
        scores=planted.OTHER_SCORES,
        ids=[f"n{row}" for row in range(planted.ROWS)],
    )
    write_snapshot(logdir, "drifted", drifted)
    with serve(logdir) as url:
        wait_for_snapshots(url, count + 1)
        yield url


def compared(tab: Tab, *letters: str) -> dict[str, Any]:
    """Waits until the columns of each side are matched and its projections are there."""

    def holds(state: dict[str, Any]) -> bool:
        sides = [side for side in state["sides"] if side["letter"] in letters]
        layers = [layer for side in sides for layer in side["layers"].values()]
        return len(sides) == len(letters) and layers != [] and all(one["partners"] and one["placed"] for one in layers)

    return tab.wait(f"the sides {letters}", holds)


def side_row(tab: Tab, key: str, layer: str = "hidden", letter: str = "B") -> np.ndarray:
    """What a side shows in a row, by the base's neuron, once it is there; NaN for nothing."""
    arguments = [letter, layer, key]
    tab.wait(f"the row {key}", lambda _: tab.frame.evaluate("a => window.__activis.sideRow(...a)", arguments))
    return np.array(tab.frame.evaluate("a => window.__activis.sideRow(...a)", arguments), float)


def test_picking_a_run_shows_it_beside_the_base_under_matched_neurons(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state=BASE)
    tab.get("compare-add").click()
    tab.get("candidate", label="other").click()
    state = compared(tab, "B")
    hidden = state["sides"][0]["layers"]["hidden"]
    assert state["sides"][0]["run"] == "other"
    assert state["sides"][0]["step"] == 1, "the base's step, where the other has it"
    assert hidden["partners"] == PARTNERS.tolist()
    assert np.delete(hidden["correlations"], planted.NOISE) == pytest.approx(np.ones(planted.NEURONS - 1), abs=1e-6)
    assert abs(hidden["correlations"][planted.NOISE]) < 0.3
    bees = planted.OTHER_HIDDEN[planted.LABELS == 1].mean(axis=0)
    assert side_row(tab, "class:bee") == pytest.approx(bees[PARTNERS], rel=1e-6)
    tab.wait_for_address("vs=other")
    text = tab.get("side", side="B").get_by_test_id("matching").first.inner_text()
    assert "matched to A · median r 1.00" in text
    assert "1 of 20 unmatched" in text


def test_differences_leave_out_what_is_not_alike(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state=f"{AGAINST_OTHER}&p.activis.show=difference")
    compared(tab, "B")
    for row in ("class:ant", "class:bee", "class:cat"):
        differences = side_row(tab, row)
        assert np.delete(differences, planted.NOISE) == pytest.approx(np.zeros(planted.NEURONS - 1), abs=1e-5)
        assert np.isnan(differences[planted.NOISE])
    outputs = planted.OTHER_SCORES - planted.BASE_SCORES
    assert side_row(tab, "class:ant", "output") == pytest.approx(outputs[planted.LABELS == 0].mean(axis=0), abs=1e-6)
    tab.get("panel", layer="hidden").get_by_role("button", name="B values").click()
    state = tab.wait("values of hidden alone", lambda state: not state["sides"][0]["layers"]["hidden"]["difference"])
    assert state["sides"][0]["layers"]["output"]["difference"]
    tab.wait_for_address("show=layer")


def standardised(values: np.ndarray) -> np.ndarray:
    """Distances from the mean over all instances in each neuron's standard deviations, (instances, neurons)."""
    wide = values.astype(np.float64)
    return (wide - wide.mean(axis=0)) / wide.std(axis=0)


def test_differences_are_of_matched_neurons_each_on_its_own_scale(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state=f"{AGAINST_OTHER.replace('vs=other', 'vs=drifted')}&p.activis.show=difference")
    state = compared(tab, "B")
    correlations = np.corrcoef(planted.HIDDEN.T, DRIFTED.T)[: planted.NEURONS, planted.NEURONS :]
    partners = linear_sum_assignment(-correlations)[1]
    assert state["sides"][0]["layers"]["hidden"]["partners"] == partners.tolist()
    ours, theirs = standardised(planted.HIDDEN), standardised(DRIFTED)[:, partners]
    matched = correlations[np.arange(planted.NEURONS), partners] >= 0.3
    assert matched.all()
    for label, name in enumerate(planted.CLASSES):
        expected = theirs[label == planted.LABELS].mean(axis=0) - ours[label == planted.LABELS].mean(axis=0)
        assert np.count_nonzero(np.abs(expected) > 0.1) >= 5, "what is compared differs"
        assert side_row(tab, f"class:{name}") == pytest.approx(expected, abs=1e-4)
    tab.get("swap").click()
    tab.wait("swapped", lambda state: state["run"] == "drifted")
    compared(tab, "B")
    bees = planted.LABELS == 1
    expected = (ours[bees].mean(axis=0) - theirs[bees].mean(axis=0))[np.argsort(partners)]
    assert side_row(tab, "class:bee") == pytest.approx(expected, abs=1e-4)


def test_what_is_hovered_on_one_side_is_hovered_on_the_other(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state=AGAINST_OTHER)
    compared(tab, "B")
    panel = tab.get("panel", layer="hidden")
    panel.get_by_test_id("side").get_by_test_id("matrix").hover(position={"x": 30, "y": 7})
    state = tab.wait("a cell", lambda state: (state["hover"] or {}).get("neuron") is not None)
    neuron = state["hover"]["neuron"]
    value = planted.HIDDEN[planted.LABELS == 0].mean(axis=0)[neuron]
    text = panel.get_by_test_id("readout").inner_text()
    assert f"neuron {neuron} in A, {PARTNERS[neuron]} in B" in text
    assert f"; ant {value:.2f} in A, " in text
    expected = np.flatnonzero(planted.LABELS == 0).tolist()
    assert state["highlighted"]["hidden"] == state["sides"][0]["layers"]["hidden"]["highlighted"] == expected

    projection = panel.get_by_test_id("projection").nth(1)
    box = projection.bounding_box()
    assert box is not None
    for x, y in [(x, y) for y in range(10, 150, 7) for x in range(10, 170, 7)]:
        projection.hover(position={"x": x, "y": y}, force=True)
        if tab.state()["sides"][0]["instance"] >= 0:
            break
    state = tab.wait("an instance", lambda state: state["sides"][0]["instance"] >= 0)
    row = state["sides"][0]["instance"]
    assert state["hover"]["row"] == f"instance:n{row}"
    expect(tab.get("docked-prediction")).to_have_count(2)
    expect(panel.locator(".temporary-row canvas")).to_have_count(2)


def test_the_focus_is_one_neuron_on_all_sides_after_every_reordering(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state=f"{AGAINST_OTHER}&p.activis.sort=natural")
    compared(tab, "B")
    tab.get("panel", layer="hidden").get_by_test_id("matrix-grid").focus()
    for _ in range(5):
        tab.page.keyboard.press("ArrowRight")
    state = tab.wait("a neuron", lambda state: (state["hover"] or {}).get("neuron"))
    neuron, orders = state["hover"]["neuron"], [state["columns"]["hidden"]]

    def place() -> int:
        return tab.state()["columns"]["hidden"].index(neuron)

    def is_told(row: str) -> None:
        tab.becomes(lambda: tab.ringed_columns("hidden") == 2 * [[place()]], True)
        readout = tab.get("panel", layer="hidden").get_by_test_id("readout")
        expect(readout).to_contain_text(f"neuron {neuron} in A, {PARTNERS[neuron]} in B", use_inner_text=True)
        tab.becomes(lambda: tab.focused_cell().startswith(f"{row}, neuron {neuron}:"), True)
        tab.get("announcer").get_by_text(f"hidden, neuron {neuron}, {row} ").wait_for()

    is_told("ant")
    for keys, row in (("s", "ant"), ("c ArrowDown c", "bee"), ("Escape s", "bee")):
        for key in keys.split():
            tab.page.keyboard.press(key)
        state = tab.wait("another order", lambda state: state["columns"]["hidden"] != orders[-1])
        orders.append(state["columns"]["hidden"])
        is_told(row)
    assert len({one.index(neuron) for one in orders}) > 1, "the neuron changed its place"


def likest(values: np.ndarray, means: np.ndarray, own: int = -1) -> tuple[int, float]:
    """Returns the class that `values` (neurons,) are most like, other than `own`, and the cosine.

    Of both, and of `means` (classes, neurons), the average of the class means is taken away.
    """
    middle = means.mean(axis=0)
    above, directions = values - middle, means - middle
    cosines = directions @ above / np.linalg.norm(directions, axis=1) / np.linalg.norm(above)
    cosines[own if own >= 0 else []] = -2
    return int(cosines.argmax()), float(cosines.max())


def test_a_row_is_followed_through_the_layers_of_both_runs(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state=AGAINST_OTHER)
    compared(tab, "B")
    layers = {"hidden": (planted.HIDDEN, planted.OTHER_HIDDEN), "output": (planted.BASE_SCORES, planted.OTHER_SCORES)}

    def told(layer: str, side: int) -> tuple[str | None, float, str]:
        panel = tab.get("panel", layer=layer)
        path = panel.get_by_test_id("row-path").nth(side)
        path.wait_for()
        return (
            path.get_attribute("data-nearest"),
            float(path.get_attribute("data-likeness")),
            " ".join(path.inner_text().split()),
        )

    for name, own in (("striped", -1), ("cat", 2)):
        tab.hover_row("hidden", name)
        for layer, runs in layers.items():
            # B has no subset of that name, so that it is followed in the base alone.
            for side, activations in enumerate(runs if own >= 0 else runs[:1]):
                values = activations.astype(np.float64)
                means = np.array([values[label == planted.LABELS].mean(axis=0) for label in range(3)])
                expected, cosine = likest(means[max(own, 0)], means, own)
                nearest, likeness, text = told(layer, side)
                assert nearest == planted.CLASSES[expected]
                assert likeness == pytest.approx(cosine, abs=1e-5)
                assert f"{'next most' if own >= 0 else 'most'} like {nearest} ({cosine:.2f})".replace("-", "−") in text
    strongest = np.argsort(-planted.HIDDEN[planted.LABELS == 2].mean(axis=0))[:3]
    tab.page.set_viewport_size({"width": 1920, "height": 1080})
    tab.hover_row("hidden", "cat")
    sentence = "; strongest neurons " + ", ".join(map(str, strongest))
    tab.becomes(lambda: told("hidden", 0)[2].endswith(sentence), True)
    tab.leave()
    tab.get("row-path").first.wait_for(state="detached")


def test_an_instance_is_followed_to_where_it_goes_wrong(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state=AGAINST_OTHER)
    compared(tab, "B")
    square = tab.get("changed-square", id=f"n{planted.FIXED}")
    square.hover()
    output = tab.get("panel", layer="output").get_by_test_id("row-path")
    output.nth(1).wait_for()
    # A takes the ant for a bee.
    tab.becomes(lambda: [path.get_attribute("data-nearest") for path in output.all()], ["bee", "ant"])
    hidden = tab.get("panel", layer="hidden").get_by_test_id("row-path").first
    expect(hidden).to_have_attribute("data-nearest", "ant")
    expect(output.first).to_contain_text(", no longer ant", use_inner_text=True)
    assert "no longer" not in output.nth(1).inner_text()


def test_who_was_fixed_and_who_broke(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state=AGAINST_OTHER)
    compared(tab, "B")
    expected = {"both_right": "33", "only_base": "1", "only_other": "1", "both_wrong": "1"}
    counts = "all => Object.fromEntries(all.map(one => [one.dataset.outcome, one.querySelector('b').innerText]))"
    tab.becomes(lambda: tab.get("outcome").evaluate_all(counts), expected)
    squares = {one.get_attribute("data-change"): one for one in tab.get("squares").all()}
    for change, row in (("broken", planted.BROKEN), ("fixed", planted.FIXED), ("still wrong", planted.STILL_WRONG)):
        square = squares[change].get_by_test_id("changed-square")
        expect(square).to_have_count(1)
        expect(square).to_have_attribute("data-id", f"n{row}")
        square.hover()
        prediction = tab.get("docked-prediction", side="B")
        prediction.get_by_text(change).wait_for()
    squares["broken"].get_by_test_id("changed-square").click()
    label = tab.row_label("hidden", f"n{planted.BROKEN}")
    tab.becomes(lambda: label.inner_text().split(), [f"n{planted.BROKEN}", "A", "cat", "B", "ant"])

    tab.get("outcome", outcome="both_right").click()
    right = np.setdiff1d(np.arange(planted.ROWS), [planted.FIXED, planted.STILL_WRONG, planted.BROKEN])
    values = side_row(tab, "outcome:both_right:0")
    assert values == pytest.approx(planted.OTHER_HIDDEN[right].mean(axis=0)[PARTNERS], rel=1e-6)
    base = tab.frame.evaluate("window.__activis.row('hidden', 'outcome:both_right:0')")
    assert base == pytest.approx(planted.HIDDEN[right].astype(np.float64).mean(axis=0), rel=1e-6)
    label = tab.row_label("hidden", "both right")
    expect(label).to_have_attribute("title", re.compile("33 of the 36 instances sampled in both"))


def test_a_layer_that_is_missing_at_a_step_is_offered_at_another(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state=BASE.replace("step=1", "step=2") + "&p.activis.vs=other,validation,")
    missing = tab.get("missing-layer", side="B")
    missing.wait_for()
    expect(missing).to_contain_text("B has no recording of hidden at step 2", use_inner_text=True)
    expect(missing).to_contain_text("It recorded hidden at step 1.", use_inner_text=True)
    missing.get_by_role("button", name="Keep empty").click()
    expect(missing).to_have_text("B is left empty here. Choose again", use_inner_text=True)
    missing.get_by_role("button").click()
    missing.get_by_role("button", name="Use step 1").click()
    state = compared(tab, "B")
    assert state["sides"][0]["step"] == 1
    assert set(state["sides"][0]["layers"]) == {"hidden", "output"}


def test_a_run_about_other_instances_and_classes_is_shown_as_far_as_it_goes(
    url: str, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab(url, hash_state=f"{BASE}&p.activis.vs=foreign,validation,")
    missing = tab.get("missing-layer", side="B")
    missing.wait_for()
    expect(missing).to_contain_text("B has no layer called output", use_inner_text=True)
    for note in ("no instance in both", "cat in A alone; dog in B alone"):
        expect(tab.get("comparison")).to_contain_text(note)
    ants = planted.HIDDEN[planted.LABELS == 1].mean(axis=0)
    assert side_row(tab, "class:ant") == pytest.approx(ants, rel=1e-6), "classes by name, neurons by index"
    assert tab.frame.evaluate("window.__activis.sideRow('B', 'hidden', 'class:cat')") is None
    tab.get("layer-choice").select_option("encoding")
    state = tab.wait("encoding beside output", lambda state: "output" in state["sides"][0]["layers"])
    assert state["sides"][0]["layers"]["output"]["recorded"] == "encoding"


def test_two_steps_of_a_run_go_by_index_and_three_sides_fit(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state=AGAINST_OTHER)
    tab.get("compare-add").click()
    tab.get("candidate", label="step 2").click()
    state = compared(tab, "B", "C")
    assert state["sides"][1]["layers"]["hidden"]["partners"] == list(range(planted.NEURONS))
    assert side_row(tab, "class:cat", letter="C") == pytest.approx(planted.HIDDEN[planted.LABELS == 2].mean(axis=0))
    tab.get("align-picker").select_option("index")
    tab.wait(
        "everything by index",
        lambda state: state["sides"][0]["layers"]["hidden"]["partners"] == list(range(planted.NEURONS)),
    )


def test_the_layers_of_two_runs_are_told_how_alike_they_are(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state=AGAINST_OTHER)
    compared(tab, "B")
    tab.get("over-steps-button").click()
    cell = tab.get("likeness-cell", layer="hidden", other="output")
    cell.wait_for()
    expect(tab.get("likeness")).to_contain_text("step 1 ↓ · other step 1 →", use_inner_text=True)
    expect(tab.get("likeness-cell")).to_have_count(4)
    cell.click()
    state = tab.wait(
        "output of B beside hidden",
        lambda state: state["sides"][0]["layers"].get("hidden", {}).get("recorded") == "output",
    )
    assert state["sides"][0]["run"] == "other"


def test_swapping_removing_and_reloading(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state=f"{AGAINST_OTHER}&p.activis.show=difference&p.activis.pinned=n3")
    compared(tab, "B")
    tab.get("outcome", outcome="only_base").click()
    tab.get("swap").click()
    state = tab.wait("swapped", lambda state: state["run"] == "other")
    assert state["sides"][0]["run"] == "base"
    compared(tab, "B")
    standardised = np.delete(side_row(tab, "class:bee"), list(planted.ORDER).index(planted.NOISE))
    assert standardised == pytest.approx(np.zeros(planted.NEURONS - 1), abs=1e-5), "1 lower everywhere"
    outputs = planted.BASE_SCORES - planted.OTHER_SCORES
    assert side_row(tab, "class:ant", "output") == pytest.approx(outputs[planted.LABELS == 0].mean(axis=0), abs=1e-6)
    tab.page.reload()
    tab.get("tab").wait_for()
    state = compared(tab, "B")
    assert (state["run"], state["sides"][0]["run"], state["pinned"]) == ("other", "base", ["n3"])
    assert state["sides"][0]["layers"]["hidden"]["difference"]
    tab.row_label("hidden", "only A right").wait_for()
    tab.get("side-chip").get_by_role("button").click()
    tab.wait("nothing beside it", lambda state: state["sides"] == [])
    tab.get("instances").wait_for()
    expect(tab.row_label("hidden", "only A right")).to_have_count(0)
    tab.becomes(lambda: "vs=" in tab.page.url, False)


@pytest.mark.parametrize("query", ["", "?darkMode=true"])
def test_comparing_has_no_serious_violation(query: str, url: str, open_tab: Callable[..., Tab]) -> None:
    shown = "&p.activis.show=difference&p.activis.pinned=n0"
    tab = open_tab(url, hash_state=f"{AGAINST_OTHER}{shown}", query=query)
    compared(tab, "B")
    assert violations(tab) == []
    tab.get("changed-square").first.hover()
    tab.get("compare-add").click()
    assert violations(tab) == []


def test_where_both_store_everything_all_of_it_is_counted(tmp_path: Path, open_tab: Callable[..., Tab]) -> None:
    """Of 300 instances 30 are sampled; A errs on every 5th, B on every 7th."""
    rows = np.arange(300)
    labels = rows % 3
    for run, errs in (("a", 5), ("b", 7)):
        predicted = np.where(rows % errs == 0, (labels + 1) % 3, labels)
        scores = np.where(np.arange(3) == predicted[:, None], 0.8, 0.1)
        with activis_tb.preprocess(
            tmp_path / run, step=0, layers=["hidden"], classes=planted.CLASSES, keep="all", sample=30, quiet=True
        ) as recorder:
            recorder.process(labels=labels, scores=scores, ids=rows, activations={"hidden": scores})
    with serve(tmp_path) as url:
        wait_for_snapshots(url, 2)
        shown = "&p.activis.run=a%2Factivis&p.activis.layers=hidden&p.activis.projection=pca"
        tab = open_tab(url, hash_state=f"{shown}&p.activis.vs=b%252Factivis,validation,")
        same = np.count_nonzero((rows % 5 == 0) == (rows % 7 == 0))
        tab.get("comparison").get_by_text(f"same prediction on {same} of 300", exact=True).wait_for()
        counts = {
            "both_right": (rows % 5 > 0) & (rows % 7 > 0),
            "only_base": (rows % 5 > 0) & (rows % 7 == 0),
            "only_other": (rows % 5 == 0) & (rows % 7 > 0),
            "both_wrong": rows % 35 == 0,
        }
        for outcome, members in counts.items():
            expect(tab.get("outcome", outcome=outcome).locator("b")).to_have_text(str(np.count_nonzero(members)))
        wrong = tab.get("squares", change="broken").get_by_test_id("changed-square").count()
        assert 0 < wrong < np.count_nonzero(counts["only_base"]), "squares are of the sample"


def operators_of(url: str, run: str) -> int:
    """Returns how many operators the graph of a run has; the demo's models differ in no operator."""
    address = f"{url}/data/plugin/activis/graph?{urllib.parse.urlencode({'run': run})}"
    with urllib.request.urlopen(address) as answer:
        return sum(node["kind"] == "operator" for node in json.load(answer)["nodes"])


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1920, 1080)])
def test_two_runs_of_the_demo(
    width: int, height: int, questions_url: str, open_tab: Callable[..., Tab], screenshots: Path
) -> None:
    state = "&p.activis.run=questions%2Fdropout-0.5%2Factivis&p.activis.layers=hidden,output&p.activis.sort=class:NUM"
    tab = open_tab(questions_url, width, height, hash_state=state)
    tab.get("compare-add").click()
    tab.get("candidate", label="questions/dropout-0.0").click()
    side = compared(tab, "B")["sides"][0]
    hidden = side["layers"]["hidden"]
    matched = np.array(hidden["partners"])
    assert len(set(matched[matched >= 0])) == np.count_nonzero(matched >= 0), "no neuron has two places"
    known = [r for r, partner in zip(hidden["correlations"], matched, strict=True) if partner >= 0]
    assert np.median(known) > 0.5
    assert side["layers"]["output"]["partners"] == list(range(6))
    tab.hover_row("hidden", "NUM")
    highlighted = tab.wait("highlighted on both sides", lambda state: state["highlighted"]["hidden"])
    assert highlighted["highlighted"]["hidden"] == highlighted["sides"][0]["layers"]["hidden"]["highlighted"]
    tab.screenshot(f"compare-{width}")
    tab.get("comparison").get_by_test_id("agreement").wait_for()
    operators = operators_of(questions_url, "questions/dropout-0.5/activis")
    tab.get("comparison").get_by_text(f"{operators} of {operators} operators match").wait_for()
    assert tab.frame.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
