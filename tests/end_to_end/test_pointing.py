"""Subsets made by pointing, and two rows compared, on twelve animals whose numbers are known."""

import io
import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.end_to_end.animals import RUN, write_animals
from tests.end_to_end.axe import violations
from tests.end_to_end.conftest import serve, wait_for_snapshots
from tests.end_to_end.tab import Tab

pytestmark = pytest.mark.browser

STATE = "&p.activis.layers=hidden,output&p.activis.projection=pca"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    logdir = tmp_path_factory.mktemp("pointing") / "runs"
    write_animals(logdir, 1)
    with serve(logdir) as url:
        wait_for_snapshots(url, 1)
        yield url


@pytest.fixture
def tab(url: str, open_tab: Callable[..., Tab]) -> Tab:
    tab = open_tab(url, hash_state=STATE)
    tab.wait("both projections", lambda state: all(state["projection"].get(name) for name in ("hidden", "output")))
    return tab


def fetch(url: str, route: str, **query: Any) -> bytes:
    parameters = urlencode({"run": RUN, "name": "validation", "step": 1, **query})
    with urllib.request.urlopen(f"{url}data/plugin/activis/{route}?{parameters}") as answer:
        return answer.read()


def members(url: str, condition: str) -> list[int]:
    return json.loads(fetch(url, "subset", condition=condition))["rows"]


def made(tab: Tab, condition: str) -> dict[str, Any]:
    """Waits until a condition is a counted row, and returns that row."""
    state = tab.wait(condition, lambda state: any(known(one, condition) for one in state["subsets"]))
    return next(one for one in state["subsets"] if known(one, condition))


def known(subset: dict[str, Any], condition: str) -> bool:
    return subset["condition"] == condition and subset["count"] is not None


def test_the_count_of_errors_of_a_class_becomes_a_row(tab: Tab) -> None:
    tab.get("class-errors", label="dog").click()
    assert made(tab, "label = 'dog' AND NOT correct")["count"] == 1
    expect(tab.get("pointed-note")).to_have_text("“dog errors” is a row now", use_inner_text=True)
    tab.hover_row("hidden", "dog errors")
    tab.wait("the one wrong dog is highlighted", lambda state: state["highlighted"]["hidden"] == [4])
    tab.get("class-errors", label="dog").click()
    tab.get("pointed-note").get_by_text("“dog errors” is a row already").wait_for()
    assert len(tab.state()["subsets"]) == 1


def test_a_cell_and_a_heading_of_the_predictions_become_rows(tab: Tab) -> None:
    table = tab.get("panel", layer="output")
    table.locator('[data-testid="prediction"][data-row="1"][data-label="0"]').click()
    assert made(tab, "label = 'dog' AND predicted = 'cat'")["count"] == 1
    table.locator('[data-testid="prediction"][data-row="-1"][data-label="0"]').click()
    assert made(tab, "predicted = 'cat'")["count"] == 5


def test_the_predictions_are_reached_by_keys(tab: Tab) -> None:
    table = tab.get("panel", layer="output")
    table.locator('[data-testid="prediction"][data-row="-1"][data-label="0"]').focus()
    tab.page.keyboard.press("ArrowDown")
    tab.page.keyboard.press("ArrowDown")
    tab.page.keyboard.press("ArrowRight")
    tab.page.keyboard.press("Enter")
    assert made(tab, "label = 'dog' AND predicted = 'dog'")["count"] == 3


def test_pinned_instances_become_a_row(tab: Tab, url: str) -> None:
    for row in (7, 2):
        tab.get("instance-square", row=str(row)).click()
    tab.get("subset-pinned").click()
    assert made(tab, "id IN ('animal7', 'animal2')")["name"] == "2 pinned"
    assert members(url, "id IN ('animal7', 'animal2')") == [2, 7]


def place(tab: Tab, layer: str) -> tuple[float, float, float, float]:
    """Left, top, width and height of a layer's projection, in the page."""
    box = tab.get("panel", layer=layer).get_by_test_id("projection").bounding_box()
    assert box is not None
    return box["x"], box["y"], box["width"], box["height"]


def drag(tab: Tab, *corners: tuple[float, float]) -> None:
    first, *others = corners
    tab.page.mouse.move(*first)
    tab.page.mouse.down()
    for corner in others:
        tab.page.mouse.move(*corner, steps=8)
    tab.page.mouse.up()


def test_classes_are_named_at_their_clusters_until_names_are_put_away(tab: Tab) -> None:
    panel = tab.get("panel", layer="hidden")
    names = panel.get_by_test_id("cluster-name")
    tab.becomes(lambda: sorted(names.all_inner_texts()), ["bird", "cat", "dog"])
    names.get_by_text("dog").hover()
    lit = tab.wait("the dogs", lambda state: (state["hover"] or {}).get("row") == "class:dog")["highlighted"]["hidden"]
    assert lit == members(tab.url, "label = 'dog'")
    tab.leave()
    panel.locator(".projection-method > button").click()
    panel.get_by_test_id("cluster-names").uncheck()
    expect(names).to_have_count(0)
    panel.get_by_test_id("error-rings").uncheck()
    tab.wait_for_address("rings=off")
    tab.page.reload()
    tab.get("panel", layer="hidden").get_by_test_id("projection").wait_for()
    tab.painted()
    expect(tab.get("cluster-name")).to_have_count(0)


def test_a_lasso_makes_a_subset_of_the_enclosed_dots(tab: Tab, url: str) -> None:
    left, top, width, height = place(tab, "hidden")
    middle = left + width / 2
    tab.get("panel", layer="hidden").get_by_test_id("lasso").click()
    drag(tab, (left + 1, top + 1), (middle, top + 1), (middle, top + height - 1), (left + 1, top + height - 1))
    state = tab.wait("a subset", lambda state: state["subsets"] and state["subsets"][0]["count"] is not None)
    coordinates = np.load(io.BytesIO(fetch(url, "projection", layer="hidden", method="pca")))
    across = coordinates[:, 0]
    expected = np.flatnonzero(across < (across.min() + across.max()) / 2).tolist()
    assert 0 < len(expected) < 12
    assert members(url, state["subsets"][0]["condition"]) == expected
    assert state["subsets"][0]["name"] == f"{len(expected)} of the sample · hidden"
    assert state["pinned"] == []
    expect(tab.get("panel", layer="hidden").get_by_test_id("lasso")).to_have_attribute("aria-pressed", "false")


def test_dragging_with_shift_draws_too_and_escape_cancels(tab: Tab) -> None:
    left, top, width, height = place(tab, "hidden")
    around = [(left + 1, top + 1), (left + width - 1, top + 1), (left + width - 1, top + height - 1)]
    tab.page.keyboard.down("Shift")
    tab.page.mouse.move(*around[0])
    tab.page.mouse.down()
    tab.page.mouse.move(*around[1], steps=4)
    tab.page.mouse.move(*around[2], steps=4)
    tab.screenshot("lasso")
    tab.page.keyboard.press("Escape")
    tab.page.mouse.up()
    assert tab.state()["subsets"] == []
    drag(tab, *around, (left + 1, top + height - 1))
    tab.page.keyboard.up("Shift")
    state = tab.wait("a subset", lambda state: state["subsets"])
    assert state["subsets"][0]["name"] == "12 of the sample · hidden"


def test_a_lasso_around_nothing_says_so(tab: Tab) -> None:
    left, top, _, _ = place(tab, "output")
    tab.get("panel", layer="output").get_by_test_id("lasso").click()
    drag(tab, (left + 1, top + 1), (left + 4, top + 1), (left + 4, top + 4))
    expect(tab.get("pointed-note")).to_contain_text("There is no instance inside the line", use_inner_text=True)
    assert tab.state()["subsets"] == []


def field(tab: Tab, name: str) -> Any:
    return tab.get("field", name=name)


def test_values_and_bars_of_the_fields_make_subsets(tab: Tab, url: str) -> None:
    tab.get("fields").click()
    tab.get("fields-over").get_by_text("over all 12 instances").wait_for()
    field(tab, "predicted").locator('[data-value="bird"]').click()
    assert made(tab, "predicted = 'bird'")["count"] == 4
    field(tab, "correct").locator('[data-value="false"]').click()
    assert made(tab, "NOT correct")["count"] == 1
    tab.screenshot("fields")
    columns = {column["name"]: column for column in json.loads(fetch(url, "summaries"))["columns"]}
    age, bins = columns["age"], field(tab, "age").get_by_test_id("field-bin")
    filled = [position for position, count in enumerate(age["counts"]) if count > 0]
    expect(bins).to_have_count(len(age["counts"]))
    for position in (filled[0], filled[-1]):
        before = len(tab.state()["subsets"])
        bins.nth(position).click()
        state = tab.wait("a bar's row", lambda state, before=before: len(state["subsets"]) > before)
        assert made(tab, state["subsets"][-1]["condition"])["count"] == age["counts"][position]
    ages = np.arange(12)
    quarters = field(tab, "age").get_by_test_id("field-quarter")
    counts = []
    for position in range(quarters.count()):
        before = len(tab.state()["subsets"])
        quarters.nth(position).click()
        state = tab.wait("a quarter's row", lambda state, before=before: len(state["subsets"]) > before)
        counts.append(made(tab, state["subsets"][-1]["condition"])["count"])
    assert counts == np.histogram(np.searchsorted(np.quantile(ages, [0.25, 0.5, 0.75]), ages), range(5))[0].tolist()


DOG, CAT = 1, 0


def moments(url: str, layer: str, row: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, standard deviation and count by neuron, in double precision."""
    mean, std, count = (
        np.load(io.BytesIO(fetch(url, "statistics", layer=layer, statistic=statistic)))[row].astype(np.float64)
        for statistic in ("mean", "std", "count")
    )
    return mean, std, count


def label_of(tab: Tab, row: str) -> Any:
    return tab.row_label("hidden", row).locator("xpath=../..")


def compare(tab: Tab, first: str, second: str) -> None:
    for row in (first, second):
        label_of(tab, row).hover()
        label_of(tab, row).get_by_test_id("row-compare").click()


def test_two_compared_classes_sort_the_neurons_by_what_separates_them(tab: Tab, url: str) -> None:
    before = tab.state()["columns"]["hidden"]
    compare(tab, "dog", "cat")
    tab.leave()
    (mean, std, count), (other_mean, other_std, other_count) = (moments(url, "hidden", row) for row in (DOG, CAT))
    with np.errstate(invalid="ignore"):
        d = (mean - other_mean) / np.sqrt((std**2 + other_std**2) / 2)
    varying = np.flatnonzero(np.isfinite(d))
    expected = varying[np.argsort(-np.abs(d[varying]), kind="stable")].tolist()
    state = tab.wait("sorted by d", lambda state: state["columns"]["hidden"][: len(expected)] == expected)
    assert state["columns"]["hidden"] != before
    assert state["columns"]["output"] == [0, 1, 2]
    tab.becomes(lambda: tab.get("comparison").inner_text().split(), ["1", "dog", "−", "2", "cat"])
    tab.wait_for_address("sort=compare")
    grid = tab.get("panel", layer="hidden").get_by_test_id("matrix-grid")
    grid.focus()
    tab.page.keyboard.press("Home")
    first = expected[0]
    tab.wait("the most separating neuron", lambda state: (state["hover"] or {}).get("neuron") == first)
    total, product = count[first] + other_count[first], count[first] * other_count[first]
    error = np.sqrt(total / product + d[first] ** 2 / (2 * total))
    shown = f"d = {d[first]:.2f} ± {error:.2f}".replace("-", "−")
    expect(tab.get("panel", layer="hidden").get_by_test_id("readout")).to_contain_text(shown)
    tab.screenshot("compared")


def test_a_comparison_survives_a_reload_and_ends_with_escape(tab: Tab) -> None:
    compare(tab, "dog", "cat")
    sort = tab.wait("compared", lambda state: state["sort"].startswith("compare:"))["sort"]
    tab.page.reload()
    tab.get("comparison").wait_for()
    tab.wait("the same order", lambda state: state["sort"] == sort)
    tab.get("tab").click(position={"x": 3, "y": 3})
    tab.page.keyboard.press("Escape")
    tab.get("comparison").wait_for(state="detached")
    tab.wait("the first order", lambda state: state["sort"] == "strongest")


def test_keys_compare_an_instance_with_a_class_by_its_z_value(tab: Tab, url: str) -> None:
    tab.get("instance-square", row="4").click()
    tab.leave()
    tab.row_label("hidden", "animal4").wait_for()
    tab.get("panel", layer="hidden").get_by_test_id("matrix-grid").focus()
    for key in ("Control+End", "c", "Control+Home", "c"):
        tab.page.keyboard.press(key)
    activation = np.load(io.BytesIO(fetch(url, "activations", layer="hidden")))[4].astype(np.float64)
    mean, std, _ = moments(url, "hidden", CAT)
    with np.errstate(invalid="ignore"):
        z = (activation - mean) / std
    varying = np.flatnonzero(np.isfinite(z))
    expected = varying[np.argsort(-np.abs(z[varying]), kind="stable")].tolist()
    tab.wait("sorted by z", lambda state: state["columns"]["hidden"][: len(expected)] == expected)
    tab.page.keyboard.press("Home")
    tab.wait("the farthest neuron", lambda state: (state["hover"] or {}).get("neuron") == expected[0])
    shown = f"z = {z[expected[0]]:.2f}".replace("-", "−")
    expect(tab.get("panel", layer="hidden").get_by_test_id("readout")).to_contain_text(shown)


def test_two_instances_are_not_compared(tab: Tab) -> None:
    for row in (3, 4):
        tab.get("instance-square", row=str(row)).click()
    tab.leave()
    compare(tab, "animal3", "animal4")
    expect(tab.get("pointed-note")).to_contain_text("no spread", use_inner_text=True)
    assert tab.state()["sort"] == "strongest"


def test_a_typed_subset_is_compared_by_its_own_deviations(tab: Tab, url: str) -> None:
    tab.get("class-errors", label="dog").click()
    tab.get("subset-input").fill("age >= 6")
    tab.get("subset-input").press("Enter")
    made(tab, "age >= 6")
    compare(tab, "age >= 6", "cat")
    values = np.load(io.BytesIO(fetch(url, "activations", layer="hidden"))).astype(np.float64)
    old, cats = values[6:], values[0::3]
    with np.errstate(invalid="ignore"):
        d = (old.mean(0) - cats.mean(0)) / np.sqrt((old.var(0) + cats.var(0)) / 2)
    varying = np.flatnonzero(np.isfinite(d))
    expected = varying[np.argsort(-np.abs(d[varying]), kind="stable")].tolist()
    tab.wait("sorted by d", lambda state: state["columns"]["hidden"][: len(expected)] == expected)


@pytest.mark.parametrize("dark", ["", "?darkMode=true"])
def test_what_is_pointed_at_is_accessible(url: str, open_tab: Callable[..., Tab], dark: str) -> None:
    tab = open_tab(url, hash_state=f"{STATE}&p.activis.pinned=animal4", query=dark)
    tab.wait("both projections", lambda state: all(state["projection"].get(name) for name in ("hidden", "output")))
    compare(tab, "dog", "cat")
    tab.get("class-errors", label="dog").click()
    made(tab, "label = 'dog' AND NOT correct")
    tab.get("fields").click()
    tab.get("fields-over").wait_for()
    tab.leave()
    tab.screenshot(f"pointing{'-dark' if dark else ''}")
    assert violations(tab) == []
