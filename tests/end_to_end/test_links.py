"""Links: the printed one fits wherever TensorBoard stands, and one that names what there is not says so."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from playwright.sync_api import expect

import activis_tb
from tests.end_to_end.conftest import serve, wait_for_snapshots
from tests.end_to_end.tab import Tab
from tests.snapshots import make_snapshot, write_snapshot

pytestmark = pytest.mark.browser

UNSERVED = 'lr={"a": 0.1}'
ODD = "a#b?c&d=e%2F+ <b> \U0001f600 日本"


@pytest.fixture(scope="module")
def logdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`runs` with two sweeps of runs that are called alike, one of an odd name and one that cannot be served."""
    runs = tmp_path_factory.mktemp("links") / "runs"
    for number, run in enumerate(["one/seed0/activis", "two/seed0/activis", ODD, UNSERVED]):
        for step in (1, 2):
            values = np.full((4, 3), number + step / 10, np.float32)
            write_snapshot(runs, run, make_snapshot({"hidden": values}, labels=[0, 1, 0, 1], step=step))
    return runs


@pytest.fixture(scope="module")
def url(logdir: Path) -> Iterator[str]:
    with serve(logdir) as url:
        wait_for_snapshots(url, 6)
        yield url


def test_the_printed_link_opens_the_run_where_tensorboard_serves_a_folder_around_it(
    logdir: Path, url: str, open_tab: Callable[..., Tab], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = logdir / "sweep" / "three" / "seed0"
    with activis_tb.preprocess(folder, step=5, layers=["hidden"], classes=["cat", "dog"]) as recorder:
        recorder.process(labels=[0, 1], scores=[0.1, 0.9], activations={"hidden": np.eye(2)})
    printed = capsys.readouterr().out.splitlines()[-1].partition("#activis")[2]
    assert printed == "&p.activis.run=three/seed0/activis"
    wait_for_snapshots(url, 7)
    tab = open_tab(url, hash_state=printed)
    tab.wait("the run", lambda state: (state["run"], state["step"]) == ("sweep/three/seed0/activis", 5))
    expect(tab.get("unknown")).to_have_count(0)
    with serve(folder) as own:
        wait_for_snapshots(own, 1)
        tab = open_tab(own, hash_state=printed)
        tab.wait("the run", lambda state: (state["run"], state["step"]) == ("activis", 5))
        expect(tab.get("unknown")).to_have_count(0)


def test_a_link_that_names_what_there_is_not_says_so_and_keeps_what_is_shown_on_demand(
    url: str, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab(url, hash_state="&p.activis.run=two/seed0/activis&p.activis.step=7&p.activis.layers=hidden,gone")
    expect(tab.get("unknown")).to_contain_text("Run “two/seed0” has no recording of step 7", use_inner_text=True)
    expect(tab.get("panel", layer="gone")).to_contain_text("was not recorded here. This snapshot has hidden")
    tab.screenshot("link-unknown-step")
    tab.get("unknown").get_by_role("button", name="Keep what is shown").click()
    tab.get("unknown").wait_for(state="detached")
    tab.becomes(lambda: "p.activis.step=2&" in f"{tab.page.url}&", True)
    tab = open_tab(url, hash_state="&p.activis.run=gone/seed0/activis&p.activis.layers=hidden")
    sentence = "the run “gone/seed0/activis”, of which there is no recording here. Shown is"
    expect(tab.get("unknown")).to_contain_text(sentence)
    tab = open_tab(url, hash_state="&p.activis.run=seed0/activis&p.activis.step=1.0")
    expect(tab.get("unknown")).to_contain_text("“one/seed0/activis”", use_inner_text=True)
    tab.get("run-picker").select_option("two/seed0/activis")
    tab.wait("the run", lambda state: (state["run"], state["step"]) == ("two/seed0/activis", 2))
    tab.get("unknown").wait_for(state="detached")


def test_what_a_link_names_in_vain_is_said_with_the_first_picture(url: str, open_tab: Callable[..., Tab]) -> None:
    watch = """addEventListener("activis", () => new MutationObserver(() => {
        const [main, line] = ["main.views", ".unknown"].map((at) => document.querySelector(at));
        if (main && !line) window.wasLate = true;
    }).observe(document, { childList: true, subtree: true }))"""
    state = "&p.activis.run=two/seed0/activis&p.activis.layers=hidden&p.activis.locked=typed:gone"
    tab = open_tab(url, hash_state=state, script=watch)
    expect(tab.get("unknown")).to_contain_text("There is no row “gone” to highlight.")
    tab.get("panel", layer="hidden").wait_for()
    assert tab.frame.evaluate("window.wasLate") is None


def test_a_run_of_any_name_is_shown_and_one_that_cannot_be_served_is_named(
    url: str, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab(url, hash_state=f"&p.activis.run={quote(ODD, safe='')}&p.activis.layers=hidden")
    tab.wait("the matrix", lambda state: len(state["columns"].get("hidden", [])) == 3)
    assert tab.state()["run"] == ODD
    tab.becomes(tab.get("run-picker").locator("option:checked").inner_text, ODD)
    tab.get("notes").click()
    notes = tab.get("tab").locator(".notes")
    expect(notes).to_contain_text(f"does not give the data of run '{UNSERVED}'")
    expect(notes).to_contain_text("--load_fast=false")
    tab.get("download-menu").click()
    with tab.page.expect_download() as download:
        tab.get("download", what="hidden", format="csv").click()
    assert download.value.suggested_filename == "activis_a-b-c-d-e-2F-b-日本_validation_step2_hidden.csv"
    unserved = open_tab(url, hash_state=f"&p.activis.run={quote(UNSERVED, safe='')}")
    expect(unserved.get("unknown")).to_contain_text("--load_fast=false", use_inner_text=True)
