"""The tab for people who use a keyboard or a screen reader: axe-core's rules, and the walk without a mouse."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.end_to_end.animals import NEURONS, RUN, WRONG, write_animals
from tests.end_to_end.axe import violations
from tests.end_to_end.conftest import serve, wait_for_snapshots
from tests.end_to_end.tab import Tab

pytestmark = pytest.mark.browser

RUN_STATE = f"&p.activis.run={RUN.replace('/', '%2F')}&p.activis.panels=closed"
PANELS = f"{RUN_STATE}&p.activis.layers=hidden,output"
PINNED = f"{PANELS}&p.activis.pinned=animal{WRONG},animal1"
MOST_TABS = 60


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    logdir = tmp_path_factory.mktemp("accessibility") / "runs"
    write_animals(logdir, 1, 2)
    with serve(logdir) as url:
        wait_for_snapshots(url, 2)
        yield url


def ready(tab: Tab) -> Tab:
    tab.wait("the columns", lambda state: len(state["columns"].get("hidden", [])) == NEURONS)
    tab.wait("the projections", lambda state: all(state["projection"].values()))
    return tab


def test_an_empty_tab_has_no_serious_violation(tmp_path: Path, open_tab: Callable[..., Tab]) -> None:
    (tmp_path / "runs").mkdir()
    with serve(tmp_path / "runs") as url:
        tab = open_tab(url)
        tab.get("empty-state").wait_for()
        assert violations(tab) == []


@pytest.mark.parametrize("query", ["", "?darkMode=true"])
@pytest.mark.parametrize("state", [RUN_STATE, PANELS, PINNED])
def test_no_state_has_a_serious_violation(state: str, query: str, url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state=state, query=query)
    tab.get("instance-square").first.wait_for()
    if state != RUN_STATE:
        ready(tab)
    assert violations(tab) == []


@pytest.mark.parametrize("query", ["", "?darkMode=true"])
def test_no_serious_violation_while_something_is_open(query: str, url: str, open_tab: Callable[..., Tab]) -> None:
    tab = ready(open_tab(url, hash_state=PANELS, query=query))
    tab.get("instance-square", row=str(WRONG)).hover()
    tab.get("instance-card").get_by_text("predicted").wait_for()
    assert violations(tab) == []
    tab.get("download-menu").click()
    tab.get("download").first.wait_for()
    assert violations(tab) == []
    tab.page.keyboard.press("Escape")
    tab.get("help-button").click()
    tab.get("help").get_by_text("What you see here").wait_for()
    assert violations(tab) == []
    tab.screenshot(f"help{'-dark' if query else ''}")


def test_the_help_opens_by_its_key_keeps_the_focus_and_closes_by_escape(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = ready(open_tab(url, hash_state=PANELS))
    tab.get("sort-picker").focus()
    tab.get("help-button").focus()
    tab.page.keyboard.press("?")
    tab.get("help").get_by_text("effective rank").wait_for()
    for _ in range(4):
        tab.page.keyboard.press("Tab")
        inside = "document.activeElement === document.body || document.activeElement.closest('dialog') !== null"
        assert tab.frame.evaluate(inside)
    tab.page.keyboard.press("Escape")
    tab.get("help").wait_for(state="hidden")
    assert tab.frame.evaluate("document.activeElement.dataset.testid") == "help-button"


def test_a_menu_opens_by_keys_and_gives_the_focus_back(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = ready(open_tab(url, hash_state=PANELS))
    menu, download = tab.get("download-menu"), tab.get("download").first
    menu.focus()
    tab.page.keyboard.press("Enter")
    download.wait_for()
    tab.page.keyboard.press("Tab")
    assert download.evaluate("element => element === document.activeElement")
    above, below = menu.bounding_box(), download.bounding_box()
    assert above is not None
    assert below is not None
    assert 0 < below["y"] - above["y"] - above["height"] < 40
    tab.page.keyboard.press("Escape")
    download.wait_for(state="detached")
    assert menu.evaluate("element => element === document.activeElement")
    menu.click()
    download.wait_for()
    tab.get("legend").click()
    download.wait_for(state="detached")


def test_a_question_mark_that_is_typed_opens_nothing(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = ready(open_tab(url, hash_state=PANELS))
    tab.get("find-instances").press_sequentially("cat?")
    tab.get("find-count").get_by_text("0 of 12").wait_for()
    expect(tab.get("help")).to_be_hidden()
    tab.page.keyboard.press("Escape")
    expect(tab.get("find-instances")).to_have_value("")


def focused(tab: Tab) -> dict[str, str]:
    """The focused element's data attributes, name and whether its focus can be seen."""
    return tab.frame.evaluate(
        """() => {
            const one = document.activeElement;
            const style = getComputedStyle(one);
            const ring = [one, one.parentElement].some(e => e && getComputedStyle(e).outlineStyle !== "none");
            return {...one.dataset, name: one.getAttribute("aria-label") ?? one.textContent, ring: String(ring)};
        }"""
    )


def tab_to(tab: Tab, **attributes: str) -> dict[str, str]:
    """Presses Tab until the focus is on an element with these data attributes."""
    seen = []
    for _ in range(MOST_TABS):
        tab.page.keyboard.press("Tab")
        seen.append(focused(tab))
        if attributes.items() <= seen[-1].items():
            return seen[-1]
    pytest.fail(f"Tab does not lead to {attributes}: {seen}")


def test_the_walk_without_a_mouse(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state=RUN_STATE)
    tab.get("instance-square").first.wait_for()
    tab.get("run-picker").focus()
    assert tab_to(tab, testid="step-picker")["ring"] == "true"
    assert tab_to(tab, testid="help-button")["ring"] == "true"

    assert tab_to(tab, testid="graph-tensor", layer="hidden")["name"] == "Layer hidden 20", "as it is written"
    tab.page.keyboard.press("Enter")
    ready(tab)
    assert tab_to(tab, testid="matrix-grid")["name"].startswith("Activations of hidden")
    tab.page.keyboard.press("ArrowDown")
    state = tab.wait("the cell below", lambda state: state["hover"] and state["hover"]["row"] == "class:dog")
    tab.get("announcer").get_by_text(f"hidden, neuron {state['hover']['neuron']}, dog").wait_for()
    tab.page.keyboard.press("s")
    tab.wait("sorted", lambda state: state["sort"] == "class:dog")

    first = tab_to(tab, testid="instance-square")
    tab.get("announcer").get_by_text("true cat, predicted so with 0.80").wait_for()
    tab.page.keyboard.press("ArrowRight")
    tab.wait("the focus on another square", lambda _: focused(tab)["row"] != first["row"])
    tab.page.keyboard.press("p")
    row = focused(tab)["row"]
    tab.wait("pinned", lambda state: state["pinned"] == [f"animal{row}"])
    tab.page.keyboard.press("Enter")
    tab.wait("unpinned", lambda state: state["pinned"] == [])

    for _ in range(MOST_TABS):
        tab.page.keyboard.press("Shift+Tab")
        if focused(tab)["name"] == "Close hidden":
            break
    tab.page.keyboard.press("Enter")
    tab.wait("closed", lambda state: state["layers"] == [])


def test_ring_readout_and_announcements_are_one_neuron_after_every_reordering(
    url: str, open_tab: Callable[..., Tab]
) -> None:
    tab = ready(open_tab(url, hash_state=f"{PANELS}&p.activis.sort=natural"))
    tab.get("panel", layer="hidden").get_by_test_id("matrix-grid").focus()
    for _ in range(7):
        tab.page.keyboard.press("ArrowRight")
    neuron = tab.wait("a neuron", lambda state: (state["hover"] or {}).get("neuron"))["hover"]["neuron"]

    def order() -> list[int]:
        return tab.state()["columns"]["hidden"]

    def is_told(row: str) -> None:
        tab.becomes(lambda: tab.ringed_columns("hidden") == [[order().index(neuron)]], True)
        readout = tab.get("panel", layer="hidden").get_by_test_id("readout")
        expect(readout).to_contain_text(f"neuron {neuron} · {row} ", use_inner_text=True)
        assert tab.focused_cell().startswith(f"{row}, neuron {neuron}:")
        tab.get("announcer").get_by_text(f"hidden, neuron {neuron}, {row} ").wait_for()
        hover = tab.state()["hover"]
        assert (hover["row"], hover["neuron"]) == (f"class:{row}", neuron)

    orders = [order()]
    is_told("cat")
    for keys, row in (("s", "cat"), ("c", "cat"), ("ArrowDown c", "dog"), ("Escape", "dog"), ("s", "dog")):
        for key in keys.split():
            tab.page.keyboard.press(key)
        if keys != "c":
            orders.append(tab.wait("another order", lambda _: order() != orders[-1])["columns"]["hidden"])
        is_told(row)
    assert len({tuple(one).index(neuron) for one in orders}) > 1, "the neuron changed its place"

    at = tab.get("panel", layer="hidden").get_by_test_id("matrix")
    at.hover(position={"x": 40, "y": 30})
    pointed = tab.wait("the pointer's cell", lambda state: state["hover"]["neuron"] != neuron)["hover"]["neuron"]
    tab.becomes(lambda: tab.ringed_columns("hidden") == [[order().index(pointed)]], True)
    assert tab.focused_cell() == "", "one neuron is told of"
    tab.leave()
    tab.becomes(lambda: tab.ringed_columns("hidden") == [[order().index(neuron)]], True)


def test_nothing_moves_for_those_who_want_it_so(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = ready(open_tab(url, hash_state=PANELS))
    moving = tab.frame.evaluate(
        """() => [...document.querySelectorAll("*")].filter(one => {
            const style = getComputedStyle(one);
            return style.transitionDuration !== "0s" || style.animationName !== "none";
        }).map(one => one.className)"""
    )
    assert moving == []
