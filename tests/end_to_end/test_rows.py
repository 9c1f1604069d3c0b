"""Rows of a matrix: their sizes and accuracies, their order, their groups, and the search for one."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import expect

import activis_tb
from activis_tb.subsets import by_category, by_quantile
from tests.end_to_end.conftest import serve, wait_for_snapshots
from tests.end_to_end.tab import Tab

pytestmark = pytest.mark.browser

CLASSES = ("poor", "rich")
INSTANCES = 4_000
TOWNS = ("Berlin", "Cairo", "Delhi", "Lima", "Oslo", "Quito", "Rome", "Tunis", "Wuhan", "Yokohama")
OPEN = "&p.activis.run=people&p.activis.projection=pca&p.activis.layers=first,second"


class People:
    """Two classes and ten towns, of which Oslo is predicted badly."""

    def __init__(self) -> None:
        rng = np.random.default_rng(3)
        self.labels = rng.integers(0, 2, INSTANCES)
        self.town = rng.integers(0, len(TOWNS), INSTANCES) ** 2 // len(TOWNS)
        self.age = rng.integers(18, 90, INSTANCES)
        self.right = rng.random(INSTANCES) < np.where(self.town == TOWNS.index("Cairo"), 0.6, 0.9)
        self.hidden = rng.random((INSTANCES, 24)).astype(np.float32) + self.labels[:, None]
        cairo = (self.town == TOWNS.index("Cairo"))[:, None] * np.linspace(-0.6, 0.9, 24)
        self.layers = {"first": (self.hidden + cairo).astype(np.float32), "second": self.hidden[:, ::-1].copy()}

    def record(self, logdir: Path) -> None:
        towns = [TOWNS[code] for code in self.town]
        scores = np.full((INSTANCES, 2), 0.2, np.float32)
        scores[np.arange(INSTANCES), np.where(self.right, self.labels, 1 - self.labels)] = 0.8
        with activis_tb.preprocess(
            str(logdir / "people"),
            name="test",
            step=0,
            layers=list(self.layers),
            classes=list(CLASSES),
            subsets={**by_category("town", towns), **by_quantile("age", 8, values=self.age)},
            sample=300,
            quiet=True,
        ) as snapshot:
            snapshot.process(
                labels=self.labels,
                scores=scores,
                ids=np.arange(INSTANCES),
                activations=self.layers,
                attributes={"town": towns, "age": self.age},
            )

    def members(self, row: str) -> NDArray[np.bool_]:
        town = row.removeprefix("town: ")
        return self.town == TOWNS.index(town) if town in TOWNS else self.labels == CLASSES.index(row)

    def relative(self, layer: str, row: str) -> NDArray[np.float64]:
        """By neuron, how many standard deviations over all instances a row's mean is above that over all."""
        values = self.layers[layer].astype(np.float64)
        return (values[self.members(row)].mean(axis=0) - values.mean(axis=0)) / values.std(axis=0)

    def size_and_accuracy(self, town: str) -> tuple[int, float]:
        members = self.town == TOWNS.index(town)
        return int(members.sum()), float(self.right[members].mean())


@pytest.fixture(scope="module")
def people() -> People:
    return People()


@pytest.fixture(scope="module")
def url(people: People, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    logdir = tmp_path_factory.mktemp("rows") / "runs"
    people.record(logdir)
    with serve(logdir) as url:
        wait_for_snapshots(url, 1)
        yield url


def names(tab: Tab, layer: str) -> list[str]:
    """What the labels and headings of a panel say, from the top, without sizes and accuracies."""
    found: list[str] = tab.get("panel", layer=layer).evaluate(
        """panel => [...panel.querySelectorAll(".row-labels .row-name")]
            .sort((one, other) => one.getBoundingClientRect().top - other.getBoundingClientRect().top)
            .map(one => one.textContent)"""
    )
    return found


def first_town(tab: Tab, layer: str) -> str:
    return next(name for name in names(tab, layer) if "town" in name)


def test_every_row_has_its_size_and_accuracy(people: People, url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state=f"{OPEN}&p.activis.maximised=second")
    for town in ("Berlin", "Cairo", "Rome"):
        label = tab.row_label("second", f"town: {town}")
        count, share = people.size_and_accuracy(town)
        expect(label.get_by_test_id("row-size")).to_have_text(f"{count:,}")
        expect(label.locator(".accuracy-figure")).to_contain_text(f"{round(100 * share)} %")
        low = "true" if town == "Cairo" else "false"
        expect(label.get_by_test_id("row-accuracy")).to_have_attribute("data-low", low)
        assert f"of {count:,} predicted right" in (label.get_attribute("title") or "")


def test_the_order_is_that_of_a_heading_in_every_panel(people: People, url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state=f"{OPEN}&p.activis.group=none&p.activis.closed=class")
    found = sorted({TOWNS[code] for code in people.town}, key=lambda town: people.size_and_accuracy(town)[1])
    tab.get("panel", layer="first").get_by_test_id("order-accuracy").click()
    tab.wait_for_address("p.activis.rows=accuracy")
    for layer in ("first", "second"):
        tab.becomes(partial(first_town, tab, layer), f"town: {found[0]}")
        assert names(tab, layer)[:2] == sorted(
            CLASSES, key=lambda name: people.right[people.labels == CLASSES.index(name)].mean()
        )
    tab.get("panel", layer="second").get_by_test_id("row-menu").click()
    tab.get("row-order-size").first.check()
    largest = max(found, key=lambda town: people.size_and_accuracy(town)[0])
    tab.becomes(partial(first_town, tab, "first"), f"town: {largest}")
    tab.get("row-order-likeness").first.check()
    tab.wait_for_address("p.activis.rows=likeness")


def test_a_group_closes_and_says_how_its_rows_are_spread(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state=f"{OPEN}&p.activis.maximised=second")
    town = tab.get("row-group", group="attribute:town")
    expect(town.get_by_role("button")).to_have_attribute("aria-expanded", "true")
    assert "Cairo" in names(tab, "second")
    town.get_by_role("button").click()
    expect(town).to_contain_text("lower than over all: Cairo")
    tab.becomes(lambda: "Cairo" in names(tab, "second"), False)
    tab.wait_for_address("p.activis.closed=attribute")
    tab.get("matrix-grid").focus()
    tab.page.keyboard.press("Home")
    tab.becomes(lambda: tab.focused_cell().startswith("class, 2 rows, accuracies of "), True)
    for _ in range(3):
        tab.page.keyboard.press("ArrowDown")
    tab.becomes(lambda: tab.focused_cell().startswith("town, "), True)
    tab.page.keyboard.press(" ")
    tab.becomes(lambda: "Cairo" in names(tab, "second"), True)


def test_a_row_is_found_by_a_part_of_its_name(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state=f"{OPEN}&p.activis.maximised=second")
    tab.get("matrix-grid").wait_for()
    tab.get("row-search").fill("ber")
    tab.becomes(lambda: names(tab, "second"), ["town", "Berlin"])
    tab.page.keyboard.press("Escape")
    tab.becomes(lambda: names(tab, "second")[0], "class")


def downloaded(tab: Tab, layer: str) -> dict[str, tuple[list[int], list[float]]]:
    """By row of a matrix as CSV, the neurons in their order and the values."""
    tab.get("download-menu").click()
    with tab.page.expect_download() as waiting:
        tab.get("download", what=layer, format="csv").click()
    tab.page.keyboard.press("Escape")
    lines = csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text(encoding="utf-8"), newline=""))
    found = {}
    for line in lines:
        cells = {name: float(value) for name, value in line.items() if name.startswith("neuron ")}
        assert all(name.endswith(", sd from the mean over all") for name in cells)
        found[line["row"]] = ([int(name.split()[1].rstrip(",")) for name in cells], list(cells.values()))
    return found


def test_relative_values_are_those_of_numpy_in_every_panel_and_after_a_reload(
    people: People, url: str, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab(url, hash_state=f"{OPEN}&p.activis.sort=natural")
    scale = tab.get("panel", layer="first").get_by_test_id("scale")
    scale.wait_for()
    assert "sd" not in scale.inner_text()
    scale.get_by_test_id("scale-picker").select_option("relative")
    tab.wait_for_address("p.activis.scale=relative")
    for layer in ("first", "second"):
        expect(tab.get("panel", layer=layer).get_by_test_id("scale")).to_contain_text("minus the mean over all")
        found = downloaded(tab, layer)
        for row in (*CLASSES, "town: Cairo", "town: Oslo"):
            neurons, values = found[row]
            assert values == pytest.approx(people.relative(layer, row)[neurons], abs=2e-5), (layer, row)
    # Means of rows are within one standard deviation of the mean over all, that of a single instance is not.
    expect(tab.get("panel", layer="second").get_by_test_id("scale")).to_have_text(
        re.compile(r"−1(\.0+)? sd\s*\+1(\.0+)? sd")
    )
    extreme = tab.get("instance-square").first
    extreme.click()
    tab.leave()
    expect(tab.get("panel", layer="second").get_by_test_id("scale")).to_have_text(re.compile(r"[≤≥] "))

    tab.get("panel", layer="first").get_by_test_id("matrix-grid").focus()
    for key in ("ArrowDown", "ArrowRight"):
        tab.page.keyboard.press(key)
    state = tab.wait("a cell", lambda state: (state["hover"] or {}).get("neuron") is not None)
    row, neuron = state["hover"]["row"].removeprefix("class:"), state["hover"]["neuron"]
    expected = people.relative("first", row)[neuron]
    told = f"{abs(expected):.2f} sd {'above' if expected > 0 else 'below'} the mean over all"
    expect(tab.get("panel", layer="first").get_by_test_id("readout")).to_contain_text(told, use_inner_text=True)

    tab.page.reload()
    expect(tab.get("panel", layer="second").get_by_test_id("scale")).to_contain_text("minus the mean over all")
    neurons, values = downloaded(tab, "second")["rich"]
    assert values == pytest.approx(people.relative("second", "rich")[neurons], abs=2e-5)


def test_what_singles_a_row_out_comes_first_in_every_panel_and_after_a_reload(
    people: People, url: str, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab(url, hash_state=f"{OPEN}&p.activis.group=none")
    tab.click_row("first", "town: Cairo")
    tab.wait("sorted by its means", lambda state: state["sort"] == "subset:town: Cairo")
    cairo = people.members("town: Cairo")
    means = people.layers["first"][cairo].astype(np.float64).mean(axis=0)
    tab.wait("its highest means", lambda state: state["columns"]["first"] == np.argsort(-means).tolist())
    tab.frame.get_by_role("button", name="singled out").click()
    tab.wait_for_address("p.activis.by=apart")
    expected = {
        layer: np.argsort(-np.abs(people.relative(layer, "town: Cairo"))).tolist() for layer in ("first", "second")
    }
    assert expected["first"] != np.argsort(-means).tolist()
    tab.wait("what singles it out", lambda state: state["columns"] == expected)
    panel = tab.get("panel", layer="first")
    expect(panel.get_by_test_id("readout")).to_contain_text("by what singles town: Cairo out", use_inner_text=True)
    tab.page.reload()
    tab.get("tab").wait_for()
    tab.wait("the same after a reload", lambda state: state["columns"] == expected)
    tab.frame.get_by_role("button", name="highest").click()
    tab.wait("means again", lambda state: state["columns"]["first"] == np.argsort(-means).tolist())
