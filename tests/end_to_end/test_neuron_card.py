"""The card of a neuron in the tab: opened by a click or by Enter, in the link, true over all instances."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import expect
from sklearn.metrics import roc_auc_score

import activis_tb
from activis_tb.model import Head
from tests.end_to_end.axe import violations
from tests.end_to_end.conftest import serve, wait_for_snapshots
from tests.end_to_end.tab import Tab
from tests.snapshots import column, make_snapshot, write_snapshot

pytestmark = pytest.mark.browser

CLASSES = ("ant", "bee", "cat")
ROWS, NEURONS, DEAD = 90, 20, 4
LABELS = np.arange(ROWS) % 3
_random = np.random.default_rng(5)
FIRST = _random.gamma(2, 1, (ROWS, NEURONS)).astype(np.float32)
HIDDEN = (FIRST + 3 * np.eye(3)[LABELS].repeat(7, 1)[:, :NEURONS]).astype(np.float32)
HIDDEN[:, DEAD] = 0
SIGNED = (_random.normal(size=(ROWS, NEURONS)) + HIDDEN[:, ::-1]).astype(np.float32) - 2
WEIGHTS = _random.normal(size=(NEURONS, 3)).astype(np.float32)
TEXTS = [f"This is instance {row}" for row in range(ROWS)]
TOKENS = np.array(["city", "what", "is", "the", "name"], object)[_random.integers(0, 5, (ROWS, 4))]
CONV = (_random.gamma(2, 1, (ROWS, 4, NEURONS)) + 4 * (TOKENS == "city")[:, :, None]).astype(np.float32)
WORDS_STATE = "&p.activis.run=words%2Factivis&p.activis.layers=conv&p.activis.projection=pca&p.activis.neuron=3:conv"
STATE = "&p.activis.run=cards&p.activis.layers=hidden,signed&p.activis.step=2&p.activis.projection=pca"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    logdir = tmp_path_factory.mktemp("cards") / "runs"
    for step, hidden in ((1, FIRST), (2, HIDDEN)):
        layers = {"hidden": hidden, "signed": SIGNED}
        texts = [column("text", "text", TEXTS)]
        snapshot = make_snapshot(layers, LABELS.tolist(), classes=CLASSES, step=step, attributes=texts)
        snapshot = replace(snapshot, heads={"hidden": Head(WEIGHTS, np.zeros(3, np.float32))})
        write_snapshot(logdir, "cards", snapshot)
    with activis_tb.preprocess(logdir / "words", step=1, layers=["conv"], classes=CLASSES, quiet=True) as recorder:
        recorder.process(
            labels=LABELS,
            scores=np.eye(3)[LABELS],
            attributes={"text": [" ".join(words) for words in TOKENS]},
            activations={"conv": CONV},
            tokens=TOKENS.tolist(),
        )
    with serve(logdir) as url:
        wait_for_snapshots(url, 3)
        yield url


@pytest.fixture
def tab(url: str, open_tab: Callable[..., Tab]) -> Tab:
    tab = open_tab(url, hash_state=STATE)
    tab.wait_for_cells("hidden", "signed")
    return tab


def order_of(tab: Tab, layer: str) -> list[int]:
    return tab.state()["columns"][layer]


def click_cell(tab: Tab, layer: str, position: int) -> None:
    """Clicks on the first row's cell at a place in the order shown."""
    panel = tab.get("panel", layer=layer)
    pitch = panel.locator(".column-band").first.evaluate("band => band.getBoundingClientRect().width")
    panel.get_by_test_id("matrix").click(position={"x": (position + 0.5) * pitch, "y": 6})


def card(tab: Tab, neuron: int, layer: str = "hidden") -> None:
    tab.get("neuron-card", layer=layer, neuron=str(neuron), done="true").wait_for()


def eta(values: np.ndarray) -> float:
    values = values.astype(np.float64)
    between = sum((one == LABELS).sum() * (values[one == LABELS].mean() - values.mean()) ** 2 for one in range(3))
    return between / ((values - values.mean()) ** 2).sum()


def test_a_click_on_a_cell_opens_the_card_below_its_panel(tab: Tab) -> None:
    neuron = order_of(tab, "hidden")[3]
    click_cell(tab, "hidden", 3)
    card(tab, neuron)
    aucs = [roc_auc_score(one == LABELS, HIDDEN[:, neuron]) for one in range(3)]
    best = int(np.argmax(aucs))
    expect(tab.get("preferred")).to_have_text(f"prefers {CLASSES[best]} · AUC {aucs[best]:.2f}")
    expect(tab.get("eta-squared")).to_have_text(f"tells classes apart · η² {eta(HIDDEN[:, neuron]):.2f}")
    for one, name in enumerate(CLASSES):
        expect(tab.get("neuron-class", **{"class": name})).to_contain_text(f"{aucs[one]:.2f}")
    strongest = np.argsort(-HIDDEN[:, neuron], kind="stable")[:10]
    names = tab.get("neuron-instances").locator(".neuron-name").all_inner_texts()
    assert names == [f"#{row}" for row in strongest]
    expect(tab.get("neuron-instances")).to_contain_text(TEXTS[strongest[0]])
    tab.get("neuron-steps").wait_for()
    tops = [
        tab.get("panel", layer="hidden").bounding_box()["y"],
        tab.get("neuron-card").bounding_box()["y"],
        tab.get("panel", layer="signed").bounding_box()["y"],
    ]
    assert tops == sorted(tops)
    tab.wait_for_address(f"p.activis.neuron={neuron}%3Ahidden")
    middles = tab.frame.evaluate(
        """[".neuron-notch", '[data-layer="hidden"] .column-band.chosen'].map((at) => {
            const box = document.querySelector(at).getBoundingClientRect();
            return box.left + box.width / 2;
        })"""
    )
    assert abs(middles[0] - middles[1]) < 2
    assert tab.complaints == []


def test_enter_opens_it_keys_go_on_and_escape_gives_the_focus_back(tab: Tab) -> None:
    grid = tab.get("panel", layer="hidden").get_by_test_id("matrix-grid")
    grid.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowLeft", "ArrowRight"):
        tab.page.keyboard.press(key)
    order = order_of(tab, "hidden")
    tab.page.keyboard.press("Enter")
    card(tab, order[1])
    assert tab.frame.evaluate("document.activeElement.tagName") == "H3"
    tab.page.keyboard.press("ArrowRight")
    card(tab, order[2])
    expect(tab.get("neuron-card")).to_contain_text(f"3 of {NEURONS} by strongest class")
    tab.page.keyboard.press("[")
    tab.page.keyboard.press("[")
    card(tab, order[0])
    tab.page.keyboard.press("[")
    card(tab, order[0])
    tab.page.keyboard.press("Escape")
    expect(tab.get("neuron-card")).to_have_count(0)
    assert tab.frame.evaluate("document.activeElement.getAttribute('role')") == "grid"
    assert f"neuron {order[1]}" in tab.focused_cell()
    assert "neuron=" not in tab.page.url


def test_its_weights_to_the_outputs_are_listed_by_class(tab: Tab) -> None:
    click_cell(tab, "hidden", order_of(tab, "hidden").index(2))
    card(tab, 2)
    weights = tab.get("output-weights").locator("li")
    expect(weights).to_have_count(3)
    for position, weight in enumerate(WEIGHTS[2]):
        shown = float(weights.nth(position).locator("b").inner_text().replace("−", "-"))
        assert shown == pytest.approx(weight, abs=0.006)
    click_cell(tab, "signed", order_of(tab, "signed").index(2))
    card(tab, 2, "signed")
    expect(tab.get("output-weights")).to_have_count(0)


def test_a_label_still_sorts(tab: Tab) -> None:
    tab.click_row("hidden", "bee")
    tab.wait("the order", lambda state: state["sort"] == "class:bee")
    expect(tab.get("neuron-card")).to_have_count(0)


def test_the_card_makes_a_row_and_colours_the_dots(tab: Tab) -> None:
    neuron = order_of(tab, "hidden")[0]
    click_cell(tab, "hidden", 0)
    card(tab, neuron)
    tab.get("neuron-subset").click()
    limit = float(re.search(r"> ([\d.]+)", tab.get("neuron-subset").inner_text()).group(1))
    count = int((HIDDEN[:, neuron] > limit).sum())
    state = tab.wait("the count", lambda state: state["subsets"] and state["subsets"][0]["count"] is not None)
    assert state["subsets"][0]["condition"] == f"neuron('hidden', {neuron}) > {limit:g}"
    assert state["subsets"][0]["count"] == count
    tab.get("neuron-colour").click()
    tab.wait_for_address(f"p.activis.colour=neuron%3A{neuron}%3Ahidden")
    expect(tab.get("neuron-colour")).to_have_attribute("aria-pressed", "true")
    ants = np.flatnonzero(LABELS == 0)
    expected = ants[np.argsort(-HIDDEN[ants, neuron], kind="stable")]
    squares = tab.get("instance-square", label="ant")
    shown = """squares => squares.map(({ offsetTop: y, offsetLeft: x, dataset }) => [y, x, Number(dataset.row)])
        .sort((one, other) => one[0] - other[0] || one[1] - other[1]).map(([, , row]) => row)"""
    tab.becomes(lambda: squares.evaluate_all(shown), expected.tolist())
    expect(tab.get("instances")).to_contain_text(f"by neuron {neuron} ↓")
    colours = squares.evaluate_all("squares => new Set(squares.map(one => getComputedStyle(one).backgroundColor)).size")
    assert colours > 10


def test_listed_instances_are_pinned_and_listed_neurons_have_cards(tab: Tab) -> None:
    neuron = order_of(tab, "signed")[2]
    click_cell(tab, "signed", 2)
    card(tab, neuron, "signed")
    weakest = int(np.argmin(SIGNED[:, neuron]))
    tab.get("neuron-card").get_by_role("button", name="weakest").click()
    tab.get("neuron-instances").locator(f'[data-row="{weakest}"]').click()
    tab.wait("the pinned one", lambda state: state["pinned"] == [f"i{weakest}"])
    with np.errstate(invalid="ignore"):
        r = np.nan_to_num(np.corrcoef(np.concatenate([HIDDEN, SIGNED], axis=1).T)[NEURONS + neuron])
    r[NEURONS + neuron] = 0
    best = int(np.argmax(np.abs(r)))
    first = tab.get("similar-neurons").locator("button").first
    expect(first).to_contain_text(f"{abs(r[best]):.2f}")
    first.click()
    card(tab, best % NEURONS, ("hidden", "signed")[best // NEURONS])


def test_the_card_goes_with_its_panel_and_gives_the_graph_its_room_back(tab: Tab) -> None:
    height = tab.get("graph").bounding_box()["height"]
    click_cell(tab, "hidden", 0)
    card(tab, order_of(tab, "hidden")[0])
    tab.becomes(lambda: tab.get("graph").bounding_box()["height"] < height / 2, True)
    tab.get("slim-graph").click()
    tab.becomes(lambda: tab.get("graph").bounding_box()["height"] > height / 2, True)
    tab.get("slim-graph").click()
    tab.becomes(lambda: tab.get("graph").bounding_box()["height"] < height / 2, True)
    tab.get("panel", layer="hidden").get_by_role("button", name="Close hidden").click()
    expect(tab.get("neuron-card")).to_have_count(0)
    tab.becomes(lambda: tab.get("graph").bounding_box()["height"] > height / 2, True)
    assert "neuron=" not in tab.page.url


def test_a_dead_neuron_says_so_and_since_when_and_nothing_else(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state=f"{STATE}&p.activis.neuron={DEAD}:hidden")
    card(tab, DEAD)
    expect(tab.get("dead-neuron")).to_have_text(f"Dead: exactly zero for all {ROWS} instances since step 2.")
    expect(tab.get("neuron-instances")).to_have_count(0)
    tab.get("neuron-steps").wait_for()


def check_shaded(tab: Tab, neuron: int) -> None:
    """Listed instances, and the card of a hovered one, show their words as the neuron sees them."""
    strongest = np.argsort(-CONV[:, :, neuron].max(axis=1), kind="stable")
    lines = tab.get("neuron-instances").get_by_test_id("shaded-words")
    expect(lines).to_have_count(10)
    half_step = np.ptp(CONV[:, :, neuron]) / 253
    for position, row in enumerate(strongest[:3].tolist()):
        words = lines.nth(position).locator(".shaded-word")
        assert words.all_inner_texts() == TOKENS[row].tolist()
        values = [float(value) for value in words.evaluate_all("all => all.map(one => one.dataset.value)")]
        np.testing.assert_allclose(values, CONV[row, :, neuron], atol=half_step)
        expect(lines.nth(position).locator(".decided")).to_have_text(TOKENS[row][CONV[row, :, neuron].argmax()])
    shades = lines.first.locator(".shaded-word").evaluate_all("all => all.map(one => one.style.background)")
    assert len(set(shades)) == len(set(np.round(CONV[strongest[0], :, neuron], 2)))
    tab.get("neuron-instances").locator("button").first.hover()
    expect(tab.get("card-words").locator(".shaded-word")).to_have_text(TOKENS[strongest[0]].tolist())
    expect(tab.get("card-words").get_by_test_id("shaded-legend")).to_contain_text(f"conv {neuron} at each word")


@pytest.mark.parametrize("query", ["", "?darkMode=true"])
def test_words_that_drive_a_neuron_are_listed_and_found(query: str, url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state=WORDS_STATE, query=query)
    card(tab, 3, "conv")
    values = {word: CONV[:, :, 3][word == TOKENS].astype(np.float64) for word in np.unique(TOKENS.astype(str))}
    expected = sorted(values, key=lambda word: -values[word].mean())
    words = tab.get("neuron-words").locator("button")
    assert [text.split("\n")[0] for text in words.all_inner_texts()] == expected
    expect(words.first).to_contain_text(f"{len(values['city'])}")
    check_shaded(tab, 3)
    strongest = f"{TOKENS.flat[CONV[:, :, 3].argmax()]}.*{CONV[:, :, 3].max():.3g}"
    expect(tab.get("neuron-spans").locator("li").first).to_have_text(re.compile(strongest))
    words.first.click()
    expect(tab.get("find-instances")).to_have_value("city")
    found = int((TOKENS == "city").any(axis=1).sum())
    expect(tab.get("find-count")).to_have_text(f"{found} of {ROWS}")
    tab.screenshot(f"neuron-words{'-dark' if query else ''}")
    assert violations(tab) == []


def test_a_link_opens_the_card_and_a_neuron_that_there_is_not_is_said(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state=f"{STATE}&p.activis.neuron=7:hidden")
    card(tab, 7)
    tab.page.reload()
    card(tab, 7)
    tab = open_tab(url, hash_state=f"{STATE}&p.activis.neuron=70:hidden")
    expect(tab.get("unknown")).to_contain_text("There is no neuron 70 of “hidden”, whose card the link opens.")
    expect(tab.get("neuron-card")).to_have_count(0)


@pytest.mark.parametrize("query", ["", "?darkMode=true"])
def test_the_card_has_no_serious_violation(query: str, url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state=f"{STATE}&p.activis.neuron=2:signed", query=query)
    card(tab, 2, "signed")
    tab.get("similar-neurons").wait_for()
    assert violations(tab) == []
