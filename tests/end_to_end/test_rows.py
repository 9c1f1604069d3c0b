"""Rows of a matrix: their sizes and accuracies, their order, their groups, and the search for one."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
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

    def record(self, logdir: Path) -> None:
        towns = [TOWNS[code] for code in self.town]
        scores = np.full((INSTANCES, 2), 0.2, np.float32)
        scores[np.arange(INSTANCES), np.where(self.right, self.labels, 1 - self.labels)] = 0.8
        layers = {"first": self.hidden, "second": self.hidden[:, ::-1].copy()}
        with activis_tb.preprocess(
            str(logdir / "people"),
            name="test",
            step=0,
            layers=list(layers),
            classes=list(CLASSES),
            subsets={**by_category("town", towns), **by_quantile("age", 8, values=self.age)},
            sample=300,
            quiet=True,
        ) as snapshot:
            snapshot.process(
                labels=self.labels,
                scores=scores,
                ids=np.arange(INSTANCES),
                activations=layers,
                attributes={"town": towns, "age": self.age},
            )

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
