"""Chunks of the tab's code: each is loaded once, when it is needed or idle, and none moves what is shown."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.end_to_end import planted_runs as planted
from tests.end_to_end.conftest import serve, wait_for_snapshots
from tests.end_to_end.tab import Tab

pytestmark = pytest.mark.browser

BASE = "&p.activis.run=base&p.activis.step=1&p.activis.layers=hidden&p.activis.projection=pca"
COMPARED = f"{BASE}&p.activis.vs=other,validation,1&p.activis.over=hidden"
FIRST = {"index.js", "tab.js", "app.js"}
LATER = {
    *("card.js", "downloads.js", "empty.js", "export.js", "fields.js", "later.js", "manager.js"),
    *("announcer.js", "missing_layer.js", "predictions.js", "projection_options.js", "rail.js", "side_header.js"),
    *("class_chooser.js", "comparison_choices.js", "projection_marks.js", "strip.js"),
    *("common.js", "completion.js", "condition_field.js", "instance_card.js", "lit.js", "row_groups.js"),
    *("marks.js", "minimap.js", "neuron_card.js", "path.js", "positions.js", "veil.js", "word_projection.js"),
    "shaded_words.js",
}


@pytest.fixture(scope="module", params=["--load_fast=true", "--load_fast=false"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    logdir = tmp_path_factory.mktemp("chunks") / "runs"
    count = planted.write_planted(logdir)
    with serve(logdir, request.param, tensorflow=True) as url:
        wait_for_snapshots(url, count)
        yield url


def scripts(tab: Tab) -> list[str]:
    """Names of the scripts that the tab's frame loaded, with queries, in alphabetical order, without the worker's."""
    return sorted(
        tab.frame.evaluate(
            """performance.getEntriesByType("resource").map(({ name }) => name.split("/plugin/activis/")[1] ?? "")
                .filter((name) => name.split("?")[0].endsWith(".js") && !name.startsWith("graph_"))"""
        )
    )


def test_every_chunk_is_loaded_once_by_whatever_name_the_first_is_asked_for(
    url: str, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab(url, hash_state=BASE)
    tab.becomes(lambda: set(scripts(tab)) >= FIRST, True)
    tab.becomes(lambda: scripts(tab), sorted(FIRST | LATER))
    again = "import('./index.js?again').then(({ render }) => typeof render)"
    assert tab.frame.evaluate(again) == "function"
    tab.becomes(lambda: scripts(tab), sorted([*FIRST, *LATER, "index.js?again"]))


def test_runs_and_styles_are_asked_for_with_the_code_and_once(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state=BASE)
    asked = dict.fromkeys(("runs", "style.css", "app.js"), 0)
    entries = tab.frame.evaluate(
        """performance.getEntriesByType("resource").map(({ name, startTime, responseEnd }) =>
            [name.split("/plugin/activis/")[1] ?? "", startTime, responseEnd])"""
    )
    loaded = next(end for name, _, end in entries if name == "app.js")
    for name, start, _ in entries:
        if name in asked and start <= loaded:
            asked[name] += 1
    assert asked == {"runs": 1, "style.css": 1, "app.js": 1}


def test_a_link_to_a_comparison_shows_all_of_it_at_once(url: str, open_tab: Callable[..., Tab]) -> None:
    watch = """addEventListener("activis", () => new MutationObserver(() => {
        const [main, whole] = ["main.comparing", ".comparison-summary"].map((at) => document.querySelector(at));
        if (main && !(whole && document.querySelector(".docked") && document.querySelector(".over-steps")))
            window.wasPartly = true;
    }).observe(document, { childList: true, subtree: true }))"""
    tab = open_tab(url, hash_state=COMPARED, script=watch)
    tab.get("instance-card").wait_for()
    assert tab.frame.evaluate("window.wasPartly") is None


def test_a_chunk_that_cannot_be_loaded_is_asked_for_again(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state=BASE)
    tab.page.route("**/later.js", lambda route: route.abort())
    tab.page.reload()
    tab.get("help-button").click()
    problem = tab.get("error")
    expect(problem).to_contain_text("This part of the tab could not be loaded.")
    tab.page.unroute("**/later.js")
    problem.get_by_role("button", name="Try again").click()
    tab.get("help").get_by_text("What you see here").wait_for()
    expect(problem).to_have_count(0)
    assert [complaint for complaint in tab.complaints if "ERR_FAILED" not in complaint] == []
    tab.complaints.clear()
