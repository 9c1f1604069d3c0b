"""The first picture: what is open where nobody has opened anything, and what stays closed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.end_to_end.conftest import serve, wait_for_snapshots
from tests.end_to_end.tab import Tab
from tests.snapshots import make_snapshot, write_snapshot

pytestmark = pytest.mark.browser

ROWS = 12
LABELS = [0, 1] * (ROWS // 2)
SCORES = np.where(np.arange(2) == np.array(LABELS)[:, None], 0.8, 0.2).astype(np.float32)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`single` with one layer, then `older` and, the newest, `model` with layers of other names."""
    runs = tmp_path_factory.mktemp("contact") / "runs"
    values = np.random.default_rng(0).gamma(2, 1, (ROWS, 20)).astype(np.float32)
    write(runs, "single", {"alone": values})
    write(runs, "older", {"conv": values, "dense": values, "softmax": SCORES})
    write(runs, "model", {"embedding": values, "hidden": values, "output": SCORES})
    with serve(runs) as url:
        wait_for_snapshots(url, 3)
        yield url


def write(runs: Path, run: str, layers: dict[str, np.ndarray]) -> None:
    write_snapshot(runs, run, make_snapshot(layers, labels=LABELS, scores=SCORES))


def close(tab: Tab, layer: str) -> None:
    tab.get("panel", layer=layer).get_by_label(f"Close {layer}").click()


def test_a_fresh_visit_shows_the_newest_runs_last_hidden_layer_and_its_output(
    url: str, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab(url)
    tab.wait_for_cells("hidden", "output")
    assert tab.state()["run"] == "model"
    tab.wait_for_address("p.activis.layers=hidden%2Coutput")
    expect(tab.get("empty-state")).to_have_count(0)
    tab.screenshot("first-contact")
    tab.page.reload()
    tab.wait_for_cells("hidden", "output")


def test_another_run_opens_with_its_own_layers_until_one_is_opened_or_closed(
    url: str, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab(url)
    tab.wait_for_cells("hidden", "output")
    tab.get("run-picker").select_option("older")
    tab.wait_for_cells("dense", "softmax")
    tab.page.go_back()
    tab.wait_for_cells("hidden", "output")
    tab.page.go_forward()
    tab.wait_for_cells("dense", "softmax")
    close(tab, "softmax")
    tab.get("run-picker").select_option("model")
    expect(tab.get("panel", layer="dense")).to_contain_text("was not recorded here")
    assert tab.state()["layers"] == ["dense"]


def test_the_only_layer_is_open_by_itself_and_stays_closed_once_it_was_closed(
    url: str, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab(url, hash_state="&p.activis.run=single")
    tab.wait_for_cells("alone")
    close(tab, "alone")
    tab.get("empty-state").wait_for()
    tab.wait_for_address("p.activis.panels=closed")
    tab.page.reload()
    tab.get("empty-state").wait_for()
    tab.wait("the run", lambda state: state["run"] == "single" and state["layers"] == [])
    tab.page.go_back()
    tab.wait_for_cells("alone")
    tab.page.go_forward()
    tab.get("empty-state").wait_for()


def test_who_closed_every_panel_finds_none_after_a_reload_or_in_another_run(
    url: str, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab(url)
    tab.wait_for_cells("hidden", "output")
    close(tab, "hidden")
    close(tab, "output")
    tab.get("empty-state").wait_for()
    tab.wait_for_address("p.activis.panels=closed")
    tab.page.reload()
    tab.get("empty-state").wait_for()
    tab.get("run-picker").select_option("single")
    tab.wait("the run", lambda state: state["run"] == "single")
    expect(tab.get("empty-state")).to_contain_text("alone")
    tab.get("empty-state").get_by_role("button", name="alone").click()
    tab.wait_for_cells("alone")


def test_a_link_that_names_a_run_alone_opens_with_its_layers(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state="&p.activis.run=older")
    tab.wait_for_cells("dense", "softmax")
    tab.get("run-picker").select_option("model")
    tab.wait_for_cells("hidden", "output")


def test_a_link_to_a_step_without_layers_asks_which_until_another_run_is_picked(
    url: str, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab(url, hash_state="&p.activis.run=model&p.activis.step=1")
    expect(tab.get("empty-state")).to_contain_text("Which layer do you want to look into?")
    assert tab.state()["layers"] == []
    tab.get("run-picker").select_option("older")
    tab.wait_for_cells("dense", "softmax")
