"""Subsets made by pointing, and two rows compared, on twelve animals whose numbers are known."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.end_to_end.animals import RUN, write_animals
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
    assert tab.get("pointed-note").inner_text() == "“dog errors” is a row now"
    tab.row_label("hidden", "dog errors").hover()
    tab.wait("the one wrong dog is lit", lambda state: state["lit"]["hidden"] == [4])
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
