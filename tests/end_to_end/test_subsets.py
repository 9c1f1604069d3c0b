"""Subsets in real time: typed, completed, mended, added as rows, kept, combined and taken along."""

import io
import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlencode

import numpy as np
import pytest
from playwright.sync_api import expect

import activis_tb
from tests.end_to_end.axe import violations
from tests.end_to_end.conftest import QUESTION_EPOCHS, serve, wait_for_snapshots
from tests.end_to_end.subset_bar import add, forgive_refusals, inserts, ready, row_values
from tests.end_to_end.tab import Tab

pytestmark = pytest.mark.browser

grammar = pytest.mark.parametrize("questions", ["grammar"], indirect=True)

QUESTIONS_RUN = "questions/dropout-0.5/activis"
CONDITION = "text ILIKE 'what is%' AND score < 0.999"
ANIMALS = 3_000
SAMPLED = 300
NEURONS = 20
COLOURS = ("black", "brown", "white")


@pytest.fixture(scope="module")
def animals() -> dict[str, np.ndarray]:
    """3,000 animals in two classes, every tenth one misclassified."""
    rng = np.random.default_rng(3)
    label = rng.integers(0, 2, ANIMALS)
    predicted = np.where(np.arange(ANIMALS) % 10 == 0, 1 - label, label)
    scores = np.full((ANIMALS, 2), 0.25, np.float32)
    scores[np.arange(ANIMALS), predicted] = 0.75
    return {
        "labels": label,
        "scores": scores,
        "age": rng.integers(0, 30, ANIMALS),
        "colour": rng.choice(COLOURS, ANIMALS),
        "call": np.array([f"{('Meow', 'meow', 'Purr')[row % 3]} number {row}" for row in range(ANIMALS)], object),
        "hidden": np.maximum(rng.normal(size=(ANIMALS, NEURONS)), 0).astype(np.float32),
    }


@pytest.fixture(scope="module")
def animals_url(animals: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The animals, in one run every one of them kept, in another a sample."""
    logdir = tmp_path_factory.mktemp("animals") / "runs"
    record_animals(logdir / "animals", animals, "all")
    record_animals(logdir / "sampled", animals, "sample")
    with serve(logdir) as url:
        wait_for_snapshots(url, 2)
        yield url


def record_animals(run: Path, animals: dict[str, np.ndarray], keep: Literal["all", "sample"]) -> None:
    recording = activis_tb.preprocess(
        run, name="validation", step=0, layers=["hidden"], classes=["cat", "dog"], sample=SAMPLED, keep=keep, quiet=True
    )
    with recording as snapshot:
        snapshot.process(
            labels=animals["labels"],
            scores=animals["scores"],
            ids=[f"animal{row}" for row in range(ANIMALS)],
            attributes={"age": animals["age"], "colour": animals["colour"], "call": animals["call"]},
            activations={"hidden": animals["hidden"]},
        )


@pytest.fixture
def questions_tab(questions_url: str, open_tab: Callable[..., Tab]) -> Tab:
    return ready(open_tab(questions_url, hash_state=state_of(QUESTIONS_RUN)))


@pytest.fixture
def animals_tab(animals_url: str, open_tab: Callable[..., Tab]) -> Tab:
    return ready(open_tab(animals_url, hash_state=state_of("animals/activis")))


def state_of(run: str) -> str:
    return f"&p.activis.run={quote(run, safe='')}&p.activis.layers=hidden"


def fetch(url: str, route: str, **query: Any) -> bytes:
    parameters = {"run": QUESTIONS_RUN, "name": "test", "step": QUESTION_EPOCHS - 1, **query}
    with urllib.request.urlopen(f"{url}data/plugin/activis/{route}?{urlencode(parameters)}") as answer:
        return answer.read()


def array(url: str, route: str, **query: Any) -> np.ndarray:
    return np.load(io.BytesIO(fetch(url, route, **query)))


def members_of_condition(url: str) -> list[int]:
    """Rows that `CONDITION` holds for, found without it."""
    columns = json.loads(fetch(url, "instances"))
    texts = next(column for column in columns["attributes"] if column["name"] == "text")["texts"]
    pairs = enumerate(zip(texts, columns["score"], strict=True))
    return [row for row, (text, score) in pairs if text.lower().startswith("what is") and score < 0.999]


@grammar
def test_plain_words_become_the_condition_that_means_them(questions_tab: Tab) -> None:
    tab, field = questions_tab, questions_tab.get("subset-input")
    field.click()
    field.press_sequentially("what is")
    tab.becomes(lambda: inserts(tab), ["text ILIKE '%what is%'"])
    field.press("ArrowDown")
    field.press("Tab")
    expect(field).to_have_value("text ILIKE '%what is%'")
    tab.get("subset-count", status="counted").wait_for()

    field.fill("golf ball ?")
    field.press("Enter")
    tab.get("subset-error").get_by_text("text ILIKE").click()
    expect(field).to_have_value("text ILIKE '%golf ball ?%'")
    tab.screenshot("subsets-plain-words")
    field.fill("")
    forgive_refusals(tab)


@grammar
def test_a_condition_is_completed_counted_and_becomes_a_row_of_means(questions_tab: Tab, questions_url: str) -> None:
    tab, field = questions_tab, questions_tab.get("subset-input")
    field.click()
    tab.get("completion", insert="label <> predicted").wait_for()
    tab.becomes(lambda: inserts(tab)[:4], ["text", "words", "label", "predicted"])
    field.press_sequentially("te")
    field.press("Tab")
    field.press_sequentially(" IL")
    field.press("Tab")
    field.press_sequentially(" 'what is%' AND score < 0.999")
    expect(field).to_have_value(CONDITION)
    members = members_of_condition(questions_url)
    tab.get("subset-count", status="counted").get_by_text(f"{len(members)} of 500").wait_for()
    expect(tab.get("subset-count")).to_have_text(re.compile(r"exact$"), use_inner_text=True)
    field.press("Enter")
    label = tab.row_label("hidden", CONDITION)
    label.wait_for()
    expect(label).to_have_attribute("data-kind", "subset")
    expect(field).to_have_value("")
    shown = row_values(tab, f"typed:{CONDITION}")
    means = array(questions_url, "activations", layer="hidden")[members].astype(np.float64).mean(axis=0)
    served = array(questions_url, "subset_statistics", layer="hidden", statistic="mean", condition=CONDITION)[0]
    np.testing.assert_allclose(shown, means, rtol=1e-6, atol=1e-7)
    np.testing.assert_array_equal(np.float32(shown), np.float32(served))
    forgive_refusals(tab)


@grammar
def test_hovering_the_row_lights_exactly_its_members_everywhere(questions_tab: Tab, questions_url: str) -> None:
    tab = questions_tab
    add(tab, CONDITION)
    tab.hover_row("hidden", CONDITION)
    members = members_of_condition(questions_url)
    tab.wait("they are highlighted", lambda state: state["highlighted"]["hidden"] == members)
    tab.becomes(tab.bright_squares, members)
    tab.leave()
    tab.wait("nothing is", lambda state: state["highlighted"]["hidden"] == [])


@grammar
def test_a_wrong_word_is_named_and_mended_by_a_click(questions_tab: Tab) -> None:
    tab, field = questions_tab, questions_tab.get("subset-input")
    field.fill("label = 'NUM' AND scroe < 0.6")
    error = tab.get("subset-error")
    error.get_by_text("scroe").wait_for()
    expect(tab.get("subset-add")).to_be_disabled()
    word = tab.frame.locator(".condition-mirror .mistake")
    expect(word).to_have_text("scroe", use_inner_text=True)
    assert abs(word.bounding_box()["x"] - error.bounding_box()["x"]) < 16
    tab.screenshot("subsets-mistake")
    tab.get("subset-suggestion").click()
    expect(field).to_have_value("label = 'NUM' AND score < 0.6")
    tab.get("subset-count", status="counted").wait_for()
    expect(error).to_be_hidden()
    forgive_refusals(tab)


@grammar
def test_a_reload_keeps_subsets_and_the_export_holds_what_was_typed(questions_tab: Tab, tmp_path: Path) -> None:
    tab = questions_tab
    odd = "text <> '<b>&,=%'"
    add(tab, CONDITION)
    add(tab, odd)
    tab.get("subset-manager").click()
    name = tab.get("subset-line").nth(1).get_by_test_id("subset-name")
    name.fill("odd, but <i>right</i>")
    name.press("Enter")
    before = tab.wait("the name", lambda state: state["subsets"][1]["name"] == "odd, but <i>right</i>")["subsets"]
    tab.page.reload()
    tab.get("tab").wait_for()
    tab.wait("the same subsets", lambda state: state["subsets"] == before)
    tab.row_label("hidden", "odd, but <i>right</i>").wait_for()
    tab.get("subset-manager").click()
    with tab.page.expect_download() as download:
        tab.get("subset-export").click()
    exported = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert exported == {CONDITION: CONDITION, "odd, but <i>right</i>": odd}
    recording = activis_tb.preprocess(
        tmp_path, step=0, layers=["hidden"], classes=["NUM", "DESC"], subsets=exported, quiet=True
    )
    with recording as snapshot:
        snapshot.process(
            labels=["NUM"], scores=[[0.9, 0.1]], attributes={"text": ["What is it?"]}, activations={"hidden": [[1.0]]}
        )
    tab.get("subset-line").nth(0).get_by_test_id("subset-remove").click()
    tab.wait("one is left", lambda state: [one["condition"] for one in state["subsets"]] == [odd])
    tab.get("subset-import").set_input_files(download.value.path())
    state = tab.wait("both", lambda state: len(state["subsets"]) == 2)
    assert {one["name"]: one["condition"] for one in state["subsets"]} == exported


def test_counts_are_over_every_kept_instance_and_averages_within_the_bound(
    animals_tab: Tab, animals: dict[str, np.ndarray], animals_url: str
) -> None:
    tab = animals_tab
    condition = "age > 20 AND colour = 'brown'"
    inside = (animals["age"] > 20) & (animals["colour"] == "brown")
    add(tab, condition)
    state = tab.state()
    assert state["subsets"] == [{"name": condition, "condition": condition, "count": int(inside.sum())}]
    parameters = urlencode(
        {"run": "animals/activis", "name": "validation", "step": 0, "layer": "hidden", "statistic": "mean"}
        | {"condition": condition}
    )
    with urllib.request.urlopen(f"{animals_url}data/plugin/activis/subset_statistics?{parameters}") as answer:
        bound = float(answer.headers["Activis-Bound"])
    difference = np.abs(
        row_values(tab, f"typed:{condition}") - animals["hidden"][inside].mean(axis=0, dtype=np.float64)
    )
    assert 0 < bound < 0.05
    assert difference.max() <= bound
    title = tab.row_label("hidden", condition).get_attribute("title")
    assert "exact over 3,000" in title
    assert f"averages ± {bound:.3g}"[:16] in title
    tab.hover_row("hidden", condition)
    with urllib.request.urlopen(
        f"{animals_url}data/plugin/activis/instances?run=animals/activis&name=validation&step=0"
    ) as answer:
        index = json.load(answer)["index"]
    sampled = [row for row, position in enumerate(index) if inside[int(position)]]
    tab.wait("its sampled members are highlighted", lambda state: state["highlighted"]["hidden"] == sampled)


def test_without_every_instance_counts_are_estimates_and_say_so(
    animals_url: str, animals: dict[str, np.ndarray], open_tab: Callable[..., Tab]
) -> None:
    tab = ready(open_tab(animals_url, hash_state=state_of("sampled/activis")))
    inside = animals["age"] > 20
    add(tab, "age > 20")
    estimate = tab.state()["subsets"][0]["count"]
    assert estimate != inside.sum()
    assert abs(estimate - inside.sum()) < 0.2 * ANIMALS
    tab.get("subset-input").fill("age > 20")
    count = tab.get("subset-count", status="counted")
    count.get_by_text("estimate").wait_for()
    shown = re.match(rf"≈ {estimate:,.0f}\s+of 3,000\s+\(([\d,]+) to ([\d,]+)\)", count.inner_text())
    assert shown is not None, count.inner_text()
    low, high = (int(limit.replace(",", "")) for limit in shown.groups())
    assert low <= inside.sum() <= high
    averages = re.compile("averages estimated, 95 % intervals of up to ± ")
    expect(tab.row_label("hidden", "age > 20")).to_have_attribute("title", averages)
    title = tab.row_label("hidden", "age > 20").get_attribute("title")
    assert f"estimate from 300 of 3,000, 95 % sure of {low:,} to {high:,}" in title
    tab.screenshot("subsets-estimate")


def test_listed_instances_of_a_sample_are_counted_among_the_sampled(
    animals_url: str, animals: dict[str, np.ndarray], open_tab: Callable[..., Tab]
) -> None:
    tab = ready(open_tab(animals_url, hash_state=state_of("sampled/activis")))
    url = f"{animals_url}data/plugin/activis/instances?run=sampled/activis&name=validation&step=0"
    with urllib.request.urlopen(url) as answer:
        columns = json.load(answer)
    listed = columns["index"][:3]
    condition = f"id IN ({', '.join(repr(one) for one in columns['id'][:3])})"
    add(tab, condition)
    assert tab.state()["subsets"][0]["count"] == 3
    expected = animals["hidden"][np.array(listed, int)].mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(row_values(tab, f"typed:{condition}"), expected, rtol=1e-5)
    title = tab.row_label("hidden", condition).get_attribute("title")
    assert "the listed instances that are among the 300 sampled; exact over these" in title
    tab.get("subset-input").fill(condition)
    count = tab.get("subset-count", status="counted")
    count.get_by_text("of 300 sampled").wait_for()
    tab.becomes(lambda: count.inner_text().split(), ["3", "of", "300", "sampled", "sample"])
    tab.screenshot("subsets-listed")


def test_what_a_condition_on_rounded_activations_leaves_open_is_said(animals_tab: Tab) -> None:
    animals_tab.get("subset-input").fill("neuron('hidden', 3) > 0.5")
    note = animals_tab.get("subset-note")
    note.get_by_text("Stored activations are rounded: neuron('hidden', 3) ± ").wait_for()
    animals_tab.get("subset-count", status="counted").get_by_text("rounded").wait_for()
    animals_tab.screenshot("subsets-note")
    animals_tab.get("subset-input").fill("age > 20")
    note.wait_for(state="hidden")


def test_patterns_are_completed_with_what_they_find(animals_tab: Tab) -> None:
    tab, field = animals_tab, animals_tab.get("subset-input")
    field.click()
    field.press_sequentially("call ILIKE ")
    tab.get("completion", insert="'meow number %'").wait_for()
    thirds = {"meow": "2,000", "purr": "1,000"}
    expected = {f"'{call}{rest} %'": count for call, count in thirds.items() for rest in ("", " number")}
    tab.becomes(lambda: offered(tab), expected)
    tab.screenshot("subsets-patterns")
    field.press_sequentially("'meow n")
    field.press("Tab")
    expect(field).to_have_value("call ILIKE 'meow number %'")
    tab.get("subset-count", status="counted").get_by_text("2,000 of 3,000").wait_for()
    forgive_refusals(tab)


def offered(tab: Tab) -> dict[str, str]:
    """By what a completion inserts, the last word that is said of it."""
    pairs = "all => all.map(one => [one.dataset.insert, one.innerText.split(/\\s+/).at(-1)])"
    return dict(tab.get("completion").evaluate_all(pairs))


def test_values_are_completed_with_their_counts(animals_tab: Tab, animals: dict[str, np.ndarray]) -> None:
    tab, field = animals_tab, animals_tab.get("subset-input")
    field.click()
    field.press_sequentially("colour = '")
    tab.get("completion", insert="'brown'").wait_for()
    counts = {one: int((animals["colour"] == one).sum()) for one in COLOURS}
    expected = {f"'{colour}'": f"{count:,}" for colour, count in counts.items()}
    tab.becomes(lambda: {insert: offered(tab).get(insert) for insert in expected}, expected)
    field.press_sequentially("br")
    tab.get("subset-offered-count").get_by_text(f"{counts['brown']:,}").wait_for()
    field.press("Tab")
    expect(field).to_have_value("colour = 'brown'")
    tab.get("subset-count", status="counted").get_by_text(f"{counts['brown']:,} of 3,000").wait_for()
    forgive_refusals(tab)


def test_the_filter_leaves_the_instances_of_the_condition(animals_tab: Tab) -> None:
    tab = animals_tab
    tab.get("subset-input").fill("label <> predicted")
    tab.get("subset-count", status="counted").wait_for()
    tab.get("subset-filter").click()
    tab.get("filter-line").wait_for()
    tab.get("instance-square", correct="true").first.wait_for(state="detached")
    wrong = tab.get("instance-square", correct="false").count()
    tab.becomes(lambda: tab.get("filter-line").inner_text().split("\n")[-1].strip(), f"{wrong} of {SAMPLED}")
    tab.screenshot("subsets-filter")
    tab.page.reload()
    tab.get("filter-line").get_by_text(f"{wrong} of {SAMPLED}").wait_for()
    tab.get("subset-filter").click()
    tab.get("instance-square", correct="true").first.wait_for()


def test_subsets_are_combined_ordered_duplicated_and_removed(animals_tab: Tab, animals: dict[str, np.ndarray]) -> None:
    tab = animals_tab
    old, brown = animals["age"] > 20, animals["colour"] == "brown"
    add(tab, "age > 20")
    add(tab, "colour = 'brown'")
    tab.get("subset-manager").click()
    expected = {"and": old & brown, "or": old | brown, "minus": old & ~brown, "not": ~(old | brown)}
    for combination, members in expected.items():
        for position in (0, 1):
            tab.get("subset-line").nth(position).get_by_role("checkbox").check()
        tab.get(f"combine-{combination}").click()
        state = tab.wait(combination, lambda state: state["subsets"][-1]["count"])
        assert state["subsets"][-1]["count"] == members.sum()
    names = [one["name"] for one in tab.state()["subsets"]]
    tab.get("subset-line").nth(1).get_by_test_id("subset-grip").press("ArrowUp")
    tab.wait("moved", lambda state: [one["name"] for one in state["subsets"]] == [names[1], names[0], *names[2:]])
    tab.get("subset-line").nth(0).get_by_test_id("subset-duplicate").click()
    tab.wait("copied", lambda state: state["subsets"][1]["name"] == f"{names[1]} (2)")
    tab.hover_row("hidden", names[0])
    tab.get("row-remove").nth(2).click()
    tab.wait("removed", lambda state: names[0] not in [one["name"] for one in state["subsets"]])


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (1280, "dark"), (1920, "light"), (1920, "dark")])
def test_the_bar_fits_and_has_no_serious_violation(
    width: int, theme: str, animals_url: str, open_tab: Callable[..., Tab]
) -> None:
    query = "?darkMode=true" if theme == "dark" else ""
    tab = ready(open_tab(animals_url, width, width * 5 // 8, hash_state=state_of("animals/activis"), query=query))
    add(tab, "age > 20 AND colour = 'brown'")
    tab.get("subset-input").click()
    tab.get("completion").first.wait_for()
    tab.screenshot(f"subsets-completion-{width}-{theme}")
    assert violations(tab, ".subset-bar") == []
    tab.get("subset-manager").click()
    tab.get("subset-line").wait_for()
    tab.screenshot(f"subsets-manager-{width}-{theme}")
    assert violations(tab, ".subset-bar") == []
    overflow = tab.frame.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow == 0
