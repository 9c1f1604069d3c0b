"""A layer whose positions have words, opened per word: on questions as TREC has them, with planted activations."""

import io
import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import expect

import activis_tb
from activis_tb.model import LayerSpec
from tests.end_to_end.axe import violations
from tests.end_to_end.conftest import serve, wait_for_snapshots
from tests.end_to_end.tab import Tab

pytestmark = pytest.mark.browser

ASKED = {
    "LOC": ["country", "city", "capital", "river"],
    "HUM": ["author", "president", "actor", "inventor"],
    "NUM": ["year", "date", "population", "speed"],
}
NAMES = [f"{first}{second}" for first in "bdfgklmnprst" for second in ("ar", "el", "on")]
CLASSES = list(ASKED)
NEURONS = 40
RANDOM = np.random.default_rng(11)
QUESTIONS = [
    (label, ["what", "is", "the", word, *(["of", name] if at % 2 else [name]), "?"])
    for at, name in enumerate(3 * NAMES)
    for label in [CLASSES[at % 3]]
    for word in [ASKED[label][at // 3 % 4]]
]
VOCABULARY = sorted({word for _, words in QUESTIONS for word in words})
VECTORS = RANDOM.gamma(1.0, size=(len(VOCABULARY), NEURONS)).round(2) * (
    RANDOM.random((len(VOCABULARY), NEURONS)) < 0.6
)
STEPS = (0, 1)


def activations(step: int) -> list[np.ndarray]:
    """By question, what stands at its words, float32 (words, neurons)."""
    noise = np.random.default_rng(step)
    return [
        np.float32(
            (1 + step) * VECTORS[[VOCABULARY.index(word) for word in words]] + noise.random((len(words), NEURONS)) / 8
        )
        for _, words in QUESTIONS
    ]


def means(step: int) -> dict[str, np.ndarray]:
    """By word, the mean over its positions, by a group-by."""
    everything = np.concatenate(activations(step))
    texts = np.array([word for _, words in QUESTIONS for word in words], object)
    return {word: everything[texts == word].mean(axis=0, dtype=np.float64) for word in VOCABULARY}


def seen(word: str) -> int:
    return sum(words.count(word) for _, words in QUESTIONS)


def write(logdir: Path) -> None:
    labels = np.array([CLASSES.index(label) for label, _ in QUESTIONS])
    texts = [words for _, words in QUESTIONS]
    longest = max(map(len, texts))
    for step in STEPS:
        conv = np.zeros((len(texts), longest, NEURONS), np.float32)
        for row, values in zip(conv, activations(step), strict=True):
            row[: len(values)] = values
        layers = [LayerSpec("conv", tokens=True), "hidden"]
        with activis_tb.preprocess(
            logdir / "questions",
            layers=layers,
            step=step,
            classes=CLASSES,
            attribute_types={"text": "text"},
            quiet=True,
        ) as snapshot:
            snapshot.process(
                labels=labels,
                scores=np.eye(3)[labels],
                activations={"conv": conv, "hidden": conv.max(axis=1)[:, ::-1]},
                tokens={"conv": texts},
                mask={"conv": np.arange(longest) < np.array([[len(words)] for words in texts])},
                attributes={"text": [" ".join(words) for words in texts]},
            )


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    logdir = tmp_path_factory.mktemp("words") / "runs"
    write(logdir)
    with serve(logdir) as url:
        wait_for_snapshots(url, len(STEPS))
        yield url


LINK = "&p.activis.run=questions%2Factivis&p.activis.layers=conv,hidden"


@pytest.fixture
def tab(url: str, open_tab: Callable[..., Tab]) -> Tab:
    tab = open_tab(url, hash_state=LINK)
    tab.wait_for_cells("conv", "hidden")
    return tab


def choose(tab: Tab, rows: str) -> None:
    tab.get("panel", layer="conv").get_by_role("button", name=rows, exact=True).click()


def word_rows(tab: Tab) -> list[str]:
    return (
        tab.get("panel", layer="conv")
        .get_by_test_id("row-label")
        .evaluate_all("labels => labels.map(label => label.dataset.row)")
    )


def values(tab: Tab, word: str) -> list[float]:
    return tab.frame.evaluate("key => window.__activis.row('conv', key)", f"word:{word}")


def strongest(word: str, step: int) -> list[int]:
    return np.argsort(-np.float32(means(step)[word]), kind="stable")[:10].tolist()


def test_rows_are_the_commonest_words_with_their_means_at_every_step(tab: Tab) -> None:
    choose(tab, "words")
    expect(tab.row_label("conv", "the")).to_have_count(1)
    facts = tab.get("word-facts")
    expect(facts).to_have_text(f"{len(VOCABULARY)} words × {NEURONS}")
    expect(tab.row_label("conv", "the").get_by_test_id("row-size")).to_have_text(str(len(QUESTIONS)))
    shown = word_rows(tab)
    assert shown[:4] == sorted(shown[:4], key=seen, reverse=True)
    assert set(shown[:4]) == {"what", "is", "the", "?"}
    for step in reversed(STEPS):
        tab.wait("the step", lambda state, step=step: state["step"] == step)
        tab.becomes(
            lambda step=step: np.allclose(values(tab, "city") or [0] * NEURONS, means(step)["city"], rtol=1e-4), True
        )
        if step:
            tab.get("tab").get_by_role("button", name="Previous step").click()


def test_a_word_sorts_its_layer_alone_and_the_link_has_it(tab: Tab, url: str) -> None:
    before = tab.state()["columns"]["hidden"]
    choose(tab, "words")
    search = tab.get("panel", layer="conv").get_by_test_id("row-search")
    search.fill("CITY")
    tab.becomes(lambda: word_rows(tab), ["city"])
    tab.click_row("conv", "city")
    tab.wait_for_address("p.activis.sort=word%3Acity")
    wanted = strongest("city", STEPS[-1])
    head = tab.get("panel", layer="conv").get_by_test_id("matrix-grid")
    search.fill("")
    expect(tab.get("sort-picker")).to_have_value("word:city")
    assert tab.state()["columns"]["hidden"] == before
    tab.page.reload()
    tab.wait_for_cells("conv", "hidden")
    row = tab.row_label("conv", "city")
    expect(row).to_be_in_viewport()
    expect(tab.get("unknown")).to_have_count(0)
    head.focus()
    tab.page.keyboard.press("Control+Home")
    for neuron in wanted[:3]:
        tab.becomes(lambda neuron=neuron: f"neuron {neuron}:" in tab.focused_cell(), True)
        tab.page.keyboard.press("ArrowRight")


def test_a_cell_says_its_mean_and_how_often_the_word_was_seen(tab: Tab) -> None:
    choose(tab, "words")
    grid = tab.get("panel", layer="conv").get_by_test_id("matrix-grid")
    expect(tab.row_label("conv", "the")).to_have_count(1)
    assert violations(tab) == []
    grid.focus()
    tab.page.keyboard.press("Control+Home")
    tab.page.keyboard.press("s")
    first = word_rows(tab)[0]
    tab.wait_for_address("p.activis.sort=word%3A")
    neuron = strongest(first, STEPS[-1])[0]
    mean = means(STEPS[-1])[first][neuron]
    readout = tab.get("panel", layer="conv").get_by_test_id("readout")
    tab.page.keyboard.press("Home")
    expect(readout).to_contain_text(f"neuron {neuron} · {first} mean {mean:.2g}"[:30])
    expect(readout).to_contain_text(f"seen {seen(first)}")
    tab.page.keyboard.press("Enter")
    tab.get("neuron-card").wait_for()
    tab.wait_for_address(f"p.activis.neuron={neuron}%3Aconv")


def fetch(url: str, route: str, **query: str) -> bytes:
    parameters = urlencode(
        {"run": "questions/activis", "name": "validation", "step": STEPS[-1], "layer": "conv", **query}
    )
    with urllib.request.urlopen(f"{url}data/plugin/activis/{route}?{parameters}") as answer:
        return answer.read()


def loneliest(url: str, width: float, height: float) -> tuple[str, float, float]:
    """The word whose dot is farthest from every other, and where it stands in a picture of all by PCA."""
    names = json.loads(fetch(url, "words"))["text"]
    places = np.load(io.BytesIO(fetch(url, "projection", method="pca", of="words"))).astype(np.float64)
    low, high = places.min(axis=0), places.max(axis=0)
    scale = 1 / max((high - low) / (np.array([width, height]) - 16))
    points = (places - (low + high) / 2) * scale * [1, -1] + np.array([width, height]) / 2
    apart = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1)) + np.diag(np.full(len(points), np.inf))
    # The buttons that zoom stand in the upper right corner.
    apart[(points[:, 0] > width - 50) & (points[:, 1] < 100)] = 0
    at = int(apart.min(axis=1).argmax())
    return names[at], *points[at].tolist()


def test_words_are_dots_and_a_click_on_one_sorts(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state=f"{LINK}&p.activis.projection=pca&p.activis.perword=conv")
    dots = tab.get("word-projection")
    dots.wait_for()
    expect(tab.get("panel", layer="conv").get_by_test_id("projection")).to_have_count(0)
    tab.painted()
    width, height = dots.evaluate("canvas => [canvas.clientWidth, canvas.clientHeight]")
    word, x, y = loneliest(url, width, height)
    dots.hover(position={"x": x, "y": y})
    tab.wait("its word", lambda state: (state["hover"] or {}).get("row") == f"word:{word}")
    dots.click(position={"x": x, "y": y})
    tab.wait("the order of its neurons", lambda state: state["sort"] == f"word:{word}")
    expect(tab.row_label("conv", word)).to_be_in_viewport()
    choose(tab, "instances")
    expect(tab.row_label("conv", "LOC")).to_have_count(1)
    expect(dots).to_have_count(0)


def test_a_layer_without_words_has_no_such_choice(tab: Tab) -> None:
    expect(tab.get("panel", layer="conv").get_by_role("group", name="Rows of conv")).to_have_count(1)
    expect(tab.get("panel", layer="hidden").get_by_role("group", name="Rows of hidden")).to_have_count(0)


def containing(url: str, word: str) -> list[int]:
    """The sampled rows of the questions that contain a word."""
    (column,) = (one for one in json.loads(fetch(url, "instances"))["attributes"] if one["name"] == "text")
    return [row for row, text in enumerate(column["texts"]) if word in text.split()]


def test_a_word_lights_the_instances_that_contain_it_everywhere(tab: Tab, url: str) -> None:
    choose(tab, "words")
    tab.get("panel", layer="conv").get_by_test_id("row-search").fill("capital")
    tab.hover_row("conv", "capital")
    expected = containing(url, "capital")
    assert 0 < len(expected) < len(QUESTIONS)
    tab.becomes(lambda: tab.bright_squares(), expected)
    assert tab.state()["highlighted"]["hidden"] == expected
    expect(tab.get("lit-count")).to_have_text(f"{len(expected)} lit")
    expect(tab.get("panel", layer="hidden").locator(".temporary-row")).to_contain_text("“capital”")
    tab.leave()
    tab.becomes(lambda: len(tab.bright_squares()), len(QUESTIONS))


def test_an_instance_shows_its_own_words_hovered_and_pinned(tab: Tab, url: str) -> None:
    choose(tab, "words")
    expect(tab.row_label("conv", "the")).to_have_count(1)
    row = 7
    (column,) = (one for one in json.loads(fetch(url, "instances"))["attributes"] if one["name"] == "text")
    words = column["texts"][row].split()
    square = tab.get("instance-square", row=str(row))
    matrix = tab.get("panel", layer="conv").get_by_test_id("matrix")
    place = """canvas => [canvas.getBoundingClientRect().left, canvas.clientWidth,
        canvas.closest(".bank").querySelector(".column-band").clientWidth]"""
    columns = matrix.evaluate(place)
    square.hover()
    tab.becomes(lambda: word_rows(tab), words)
    assert matrix.evaluate(place) == columns, "what is hovered moves no column"
    square.click()
    tab.leave()
    tab.becomes(lambda: word_rows(tab)[: len(words)], words)
    common = tab.get("panel", layer="conv").get_by_test_id("row-group")
    expect(common).to_have_count(1)
    # One byte keeps each activation: half a step off at most.
    own = np.array(activations(STEPS[-1])[QUESTIONS.index(next(q for q in QUESTIONS if q[1] == words))])
    instance = json.loads(fetch(url, "instances"))["id"][row]
    shown = tab.frame.evaluate("key => window.__activis.row('conv', key)", f"place:3:{instance}")
    assert np.abs(np.array(shown) - own[3]).max() < 2 * own.max() / 254 + 1 / 8
    tab.get("panel", layer="conv").get_by_test_id("row-label").nth(3).click(position={"x": 24, "y": 6})
    tab.wait("its order", lambda state: state["sort"] == f"place:3:{instance}")
    expect(tab.get("sort-picker")).to_have_value(f"place:3:{instance}")
    choose(tab, "instances")
    expect(tab.row_label("conv", "LOC")).to_have_count(1)
