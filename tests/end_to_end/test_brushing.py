"""Brushing: what is pointed at, typed or looked for lights the same instances everywhere; and the first sentence."""

import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.end_to_end.conftest import serve, wait_for_snapshots
from tests.end_to_end.tab import Tab
from tests.snapshots import column, make_snapshot, write_snapshot

pytestmark = pytest.mark.browser

CLASSES = ("cat", "dog", "fish")
ROWS = 180
LABELS = np.repeat([0, 1, 2], ROWS // 3)
PREDICTED = LABELS.copy()
CONFUSED = list(range(130, 138))
"""Fishes taken for cats; two other fishes and a dog are taken for others."""
PREDICTED[CONFUSED] = 0
PREDICTED[[140, 141]] = 1
PREDICTED[70] = 0
STRIPED = np.isin(np.arange(ROWS), [0, 1, 2, *CONFUSED[:7], 150])
TEXTS = [f"{CLASSES[label]} number {row}" for row, label in enumerate(LABELS)]
WORDS = 1 + np.arange(ROWS) % 43
STATE = "&p.activis.run=zoo&p.activis.layers=hidden,output&p.activis.projection=pca"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`zoo`, and `right`, a run without errors."""
    runs = tmp_path_factory.mktemp("brushing") / "runs"
    rng = np.random.default_rng(3)
    hidden = rng.gamma(2, 1, (ROWS, 20)).astype(np.float32)
    attributes = [column("text", "text", TEXTS), column("words", "number", WORDS.tolist())]
    for run, predicted in (("right", LABELS), ("zoo", PREDICTED)):
        scores = np.where(np.arange(3) == predicted[:, None], 0.8, 0.1).astype(np.float32)
        snapshot = make_snapshot(
            {"hidden": hidden, "output": scores},
            LABELS.tolist(),
            classes=CLASSES,
            scores=scores,
            attributes=attributes,
            subsets={"striped": STRIPED},
        )
        write_snapshot(runs, run, snapshot)
    with serve(runs) as url:
        wait_for_snapshots(url, 2)
        yield url


@pytest.fixture
def tab(url: str, open_tab: Callable[..., Tab]) -> Tab:
    tab = open_tab(url, 1440, 900, hash_state=STATE)
    tab.wait("both projections", lambda state: all(state["projection"].get(name) for name in ("hidden", "output")))
    tab.get("instance-square").first.wait_for()
    return tab


def bright(tab: Tab) -> list[int]:
    """The sampled rows whose squares keep their colour."""
    return tab.bright_squares()


def lit_everywhere(tab: Tab, rows: list[int]) -> None:
    """Waits until these are lit in both projections and among the squares."""
    tab.wait("the dots", lambda state: all(state["highlighted"][name] == rows for name in ("hidden", "output")))
    tab.becomes(lambda: bright(tab), rows)


def none_lit(tab: Tab) -> None:
    tab.wait("no dot is lit", lambda state: not any(state["highlighted"].values()))
    tab.becomes(lambda: len(bright(tab)), ROWS)


def in_sight(tab: Tab, row: int) -> bool:
    return tab.frame.evaluate(
        """row => {
            const square = document.querySelector(`[data-testid=instance-square][data-row="${row}"]`);
            const [box, view] = [square, square.closest(".instance-groups")].map(one => one.getBoundingClientRect());
            return box.top >= view.top && box.bottom <= view.bottom;
        }""",
        row,
    )


def temporary_row(tab: Tab, layer: str) -> str:
    return tab.get("panel", layer=layer).locator(".row-label.temporary").inner_text()


def test_a_cell_of_the_confusion_table_lights_its_instances_as_a_row_of_every_matrix(tab: Tab) -> None:
    tab.get("panel", layer="output").locator('[data-testid="prediction"][data-row="2"][data-label="0"]').hover()
    lit_everywhere(tab, CONFUSED)
    for layer in ("hidden", "output"):
        tab.becomes(lambda layer=layer: temporary_row(tab, layer).split()[:4], ["fish", "→", "cat", "8"])
    expect(tab.get("lit-count")).to_have_text("8 lit", use_inner_text=True)
    expect(tab.get("lit-instances")).to_contain_text("fish number 130")
    tab.becomes(lambda: in_sight(tab, CONFUSED[0]), True)
    tab.screenshot("brushing-cell")
    tab.leave()
    none_lit(tab)


def test_a_condition_lights_while_it_is_typed_and_the_first_is_brought_into_sight(tab: Tab) -> None:
    tab.page.set_viewport_size({"width": 1440, "height": 520})
    expected = [row for row, text in enumerate(TEXTS) if "number 17" in text and row > 99]
    tab.get("subset-input").press_sequentially("text LIKE '%number 17_'")
    lit_everywhere(tab, expected)
    tab.becomes(lambda: in_sight(tab, expected[0]), True)
    assert tab.state()["subsets"] == []
    tab.get("subset-input").press("Escape")
    tab.get("subset-input").fill("")
    none_lit(tab)
    tab.complaints[:] = [complaint for complaint in tab.complaints if "400 (BAD REQUEST)" not in complaint]


def test_what_is_looked_for_is_lit_in_the_projections_and_brought_into_sight(tab: Tab) -> None:
    tab.page.set_viewport_size({"width": 1440, "height": 520})
    tab.get("find-instances").fill("number 177")
    lit_everywhere(tab, [177])
    tab.becomes(lambda: in_sight(tab, 177), True)
    expect(tab.get("find-count")).to_have_text("1 of 180", use_inner_text=True)
    tab.get("find-instances").press("Escape")
    none_lit(tab)


def test_the_filter_lights_what_it_shows(tab: Tab) -> None:
    tab.get("subset-input").fill("label <> predicted")
    tab.get("subset-count", status="counted").wait_for()
    tab.get("subset-filter").click()
    wrong = np.flatnonzero(LABELS != PREDICTED).tolist()
    lit_everywhere(tab, wrong)
    tab.get("subset-input").fill("")
    tab.get("subset-input").press("Escape")
    tab.hover_row("hidden", "dog")
    tab.wait("the wrong dog alone", lambda state: state["highlighted"]["hidden"] == [70])


def test_a_bar_of_fields_lights_its_instances_and_holds_as_many_whole_numbers_as_the_others(tab: Tab) -> None:
    tab.get("fields").click()
    words = tab.get("field", name="words")
    bars = words.get_by_test_id("field-bin")
    expect(bars).to_have_count(15)
    bars.nth(0).hover()
    expect(bars.nth(0)).to_have_attribute("title", re.compile("^1 to 3: "))
    lit_everywhere(tab, np.flatnonzero(WORDS <= 3).tolist())
    quarters = words.get_by_test_id("field-quarter").all_inner_texts()
    assert quarters == ["1–10", "11–21", "22–32", "33–43"]
    tab.page.keyboard.press("Escape")
    tab.leave()
    none_lit(tab)


def test_the_sentence_names_the_strongest_confusion_and_each_part_lights_its_instances(tab: Tab) -> None:
    sentence = tab.get("sentence")
    expect(sentence.locator("p")).to_contain_text("8 of 10 errors of fish are taken for cat", use_inner_text=True)
    expect(sentence.locator("p")).to_contain_text(
        "; 7 of them are in “striped”, of the other fish 2 %", use_inner_text=True
    )
    sentence.get_by_role("button", name="8 of 10 errors").hover()
    lit_everywhere(tab, CONFUSED)
    sentence.get_by_role("button", name="7 of them").hover()
    lit_everywhere(tab, CONFUSED[:7])
    sentence.get_by_role("button", name="striped").hover()
    lit_everywhere(tab, np.flatnonzero(STRIPED).tolist())
    sentence.get_by_role("button", name="8 of 10 errors").click()
    tab.leave()
    lit_everywhere(tab, CONFUSED)
    tab.wait_for_address("p.activis.locked=lit")
    tab.page.reload()
    tab.get("instance-square").first.wait_for()
    lit_everywhere(tab, CONFUSED)
    tab.get("sentence").get_by_role("button", name="8 of 10 errors").click()
    tab.leave()
    none_lit(tab)
    tab.get("sentence-row").click()
    tab.wait("its row", lambda state: [one["name"] for one in state["subsets"]] == ["fish → cat"])


def test_the_instances_of_the_sentence_are_outlined_among_the_squares_and_in_the_table(tab: Tab) -> None:
    squares, cell = tab.get("outlined-squares"), tab.get("outlined-cell")
    expect(squares).to_have_attribute("data-count", str(len(CONFUSED)))
    outlined = squares.evaluate(
        """svg => [...svg.parentElement.querySelectorAll("[data-testid=instance-square]")]
            .filter(one => svg.querySelector("path").isPointInFill(new DOMPoint(one.offsetLeft + 5, one.offsetTop + 5)))
            .map(one => Number(one.dataset.row))"""
    )
    assert sorted(outlined) == CONFUSED
    expect(cell).to_have_count(1)
    button = tab.get("prediction", row="2", label="0").bounding_box()
    assert cell.bounding_box() == button
    tab.hover_row("hidden", "dog")
    for one in (squares, cell):
        expect(one).to_have_count(0)
    tab.leave()
    squares.wait_for()
    tab.get("sentence-close").click()
    for one in (squares, cell):
        expect(one).to_have_count(0)


def test_the_sentence_is_put_away_and_comes_back_with_another_run(tab: Tab) -> None:
    tab.get("sentence-close").click()
    expect(tab.get("sentence")).to_have_count(0)
    tab.wait_for_address("p.activis.unsaid=zoo")
    tab.page.reload()
    tab.get("instance-square").first.wait_for()
    expect(tab.get("sentence")).to_have_count(0)
    tab.get("run-picker").select_option("right")
    expect(tab.get("sentence").locator("p")).to_contain_text("All 180 are predicted as their class")
    expect(tab.get("sentence").get_by_role("button")).to_have_count(1)


def test_plain_words_are_offered_as_the_condition_that_means_them(tab: Tab) -> None:
    field = tab.get("subset-input")
    field.click()
    field.press_sequentially("fish number")
    tab.get("completion", insert="text ILIKE '%fish number%'").click()
    expect(field).to_have_value("text ILIKE '%fish number%'")
    lit_everywhere(tab, np.flatnonzero(LABELS == 2).tolist())
    tab.complaints[:] = [complaint for complaint in tab.complaints if "400 (BAD REQUEST)" not in complaint]


def test_a_row_that_is_chosen_by_its_outcome_claims_no_accuracy(tab: Tab) -> None:
    tab.get("panel", layer="output").locator('[data-testid="prediction"][data-row="2"][data-label="0"]').hover()
    lit_everywhere(tab, CONFUSED)
    for layer in ("hidden", "output"):
        row = tab.get("panel", layer=layer).locator(".row-label.temporary")
        expect(row.get_by_test_id("row-accuracy")).to_have_text("errors")
        expect(row.get_by_test_id("row-accuracy")).to_have_attribute("data-low", "false")
        expect(row.get_by_test_id("row-label")).to_have_attribute("title", re.compile("errors by definition"))
    tab.get("panel", layer="output").locator('[data-testid="prediction"][data-row="2"][data-label="2"]').hover()
    row = tab.get("panel", layer="output").locator(".row-label.temporary")
    expect(row.get_by_test_id("row-accuracy")).to_have_text("right")
    tab.leave()
    tab.get("subset-input").fill("label = 'fish' AND words > 5")
    tab.get("subset-count", status="counted").wait_for()
    expect(tab.get("panel", layer="hidden").locator(".row-label.temporary .accuracy-figure")).to_contain_text("%")


def test_a_recorded_function_is_in_the_manager_and_its_row_is_hidden_and_shown(tab: Tab) -> None:
    tab.get("subset-manager").click()
    line = tab.get("recorded-line", name="striped")
    expect(line).to_contain_text("by a function or a list")
    expect(line).to_contain_text(str(np.count_nonzero(STRIPED)))
    expect(line.get_by_role("checkbox")).to_be_disabled()
    expect(tab.get("without-condition")).to_contain_text("not renamed, combined or exported")
    line.hover()
    lit_everywhere(tab, np.flatnonzero(STRIPED).tolist())
    tab.screenshot("subsets-recorded")
    line.get_by_test_id("subset-hide").click()
    for layer in ("hidden", "output"):
        expect(tab.row_label(layer, "striped")).to_have_count(0)
    tab.wait_for_address("p.activis.hidden=subset")
    tab.page.reload()
    tab.get("instance-square").first.wait_for()
    expect(tab.row_label("hidden", "cat")).to_have_count(1)
    expect(tab.row_label("hidden", "striped")).to_have_count(0)
    tab.get("panel", layer="hidden").get_by_test_id("row-menu").click()
    tab.get("show-hidden").click()
    expect(tab.row_label("hidden", "striped")).to_have_count(1)
    tab.page.keyboard.press("Escape")
    tab.hover_row("hidden", "striped")
    tab.get("panel", layer="hidden").get_by_test_id("row-hide").click()
    expect(tab.row_label("output", "striped")).to_have_count(0)
