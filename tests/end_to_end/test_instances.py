"""Pictures, sounds, long texts and test cases in the tab; the demos that have them read well."""

import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

import activis_tb
from tests.data import ADULT, needed
from tests.end_to_end.conftest import run_demo, serve, wait_for_snapshots
from tests.end_to_end.tab import Tab

CLASSES = ("low", "high")
ROWS = 24
RATE = 8000
TEXT = "word " * 200
OpenTab = Callable[..., Tab]
CLOSED = "&p.activis.panels=closed"


def record(logdir: Path) -> None:
    """Tones with pictures and long texts, two test cases of which one is not as expected."""
    label = np.arange(ROWS) % 2
    scores = np.column_stack([0.9 - 0.8 * label, 0.1 + 0.8 * label])
    times = np.arange(RATE // 2) / RATE
    tones = np.stack([np.sin(2 * np.pi * (220 + 220 * one) * times) for one in label])
    pictures = np.random.default_rng(0).random((ROWS, 8, 8, 3))
    hidden = np.abs(np.random.default_rng(1).normal(size=(ROWS, 20))) + label[:, None]
    settings = {"name": "tones", "step": 0, "layers": ["hidden"], "classes": CLASSES, "quiet": True}
    with activis_tb.preprocess(logdir / "tones", **settings) as snapshot:
        snapshot.examples(
            labels=["low", "high"],
            scores=[[0.8, 0.2], [0.7, 0.3]],
            ids=["hum", 1],
            attributes={"text": ["a deep hum", "a whistle"], "picture": [pictures[0], None]},
            activations={"hidden": hidden[:2]},
        )
        snapshot.process(
            labels=label,
            scores=scores,
            ids=[f"tone{row}" for row in range(ROWS)],
            attributes={
                "text": [f"{row}: {TEXT}" for row in range(ROWS)],
                "tone": activis_tb.Audio([None if row == 1 else tone for row, tone in enumerate(tones)], RATE),
                "picture": [None if row == 1 else picture for row, picture in enumerate(pictures)],
                "loud": label == 1,
            },
            activations={"hidden": hidden},
        )


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    logdir = tmp_path_factory.mktemp("media") / "runs"
    record(logdir)
    with serve(logdir) as url:
        wait_for_snapshots(url, 1)
        yield url


def square(tab: Tab, identity: str):
    return tab.page.frame_locator('iframe[src*="name=activis"]').locator(
        f'[data-testid="instance-square"][aria-label^="{identity},"]'
    )


def test_a_sound_plays_in_the_card_after_the_pointer_left_its_square(tones: str, open_tab: OpenTab) -> None:
    tab = open_tab(tones)
    square(tab, "tone2").hover()
    sound = tab.get("instance-card").get_by_test_id("sound")
    sound.wait_for()
    expect(sound).to_have_attribute("src", re.compile("attribute=tone"))
    tab.get("instance-card").hover()
    duration = sound.evaluate(
        """async (audio) => {
          await audio.play();
          await new Promise((resolve) => audio.addEventListener("ended", resolve));
          return audio.currentTime;
        }"""
    )
    assert duration == pytest.approx(0.5, abs=0.05)
    expect(tab.get("instance-card")).to_contain_text("tone2", use_inner_text=True)
    square(tab, "tone1").hover()
    tab.get("instance-card").get_by_text("no tone").wait_for()
    tab.get("instance-card").get_by_text("no picture").wait_for()
    expect(sound).to_have_count(0)


def test_a_long_text_beside_media_is_cut_short_and_opens(tones: str, open_tab: OpenTab) -> None:
    tab = open_tab(tones)
    square(tab, "tone3").hover()
    text = tab.get("card-text")
    whole = f"3: {TEXT}"
    expect(text).to_have_text(f"“{whole[:120]}… {len(whole) - 120} more characters", use_inner_text=True)
    tab.get("whole-text").click()
    expect(text).to_have_text(f"“{whole}”")
    square(tab, "tone4").hover()
    tab.get("whole-text").wait_for()


def test_a_pinned_instance_has_its_picture_beside_its_name(tones: str, open_tab: OpenTab) -> None:
    tab = open_tab(tones, hash_state=CLOSED)
    tab.open_layer("hidden")
    square(tab, "tone2").click()
    square(tab, "tone1").click()
    tab.leave()
    thumbnail = tab.row_label("hidden", "tone2").get_by_test_id("thumbnail")
    thumbnail.wait_for()
    assert thumbnail.evaluate("(image) => image.decode().then(() => [image.naturalWidth, image.naturalHeight])") == [
        8,
        8,
    ]
    expect(tab.row_label("hidden", "tone1").get_by_test_id("thumbnail")).to_have_count(0)


@pytest.mark.parametrize(("width", "query"), [(1280, ""), (1920, "?darkMode=true")])
def test_test_cases_are_shown_pinned_and_in_no_count(tones: str, open_tab: OpenTab, width: int, query: str) -> None:
    tab = open_tab(tones, width=width, query=query, hash_state=CLOSED)
    tab.open_layer("hidden")
    cases = tab.get("test-case")
    expected = ["a deep hum low ✓", "a whistle high → low"]
    tab.becomes(lambda: [" ".join(text.split()) for text in cases.all_inner_texts()], expected)
    expect(tab.get("test-cases")).to_contain_text("1 of 2 as expected", use_inner_text=True)
    expect(tab.get("instance-square")).to_have_count(ROWS)
    expect(tab.get("instances")).to_contain_text(f"{ROWS} tones", use_inner_text=True)
    cases.nth(0).hover()
    tab.get("instance-card").get_by_text("expected low").wait_for()
    cases.nth(0).click()
    label = tab.row_label("hidden", "test case hum")
    label.wait_for()
    tab.becomes(lambda: label.inner_text().split()[0], "hum")
    tab.screenshot(f"test-cases-{width}")
    cases.nth(0).click()
    tab.leave()
    label.wait_for(state="detached")


@pytest.fixture(scope="module", params=["breast cancer", "adult"])
def income(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A TensorBoard on the run of demo/income.py."""
    data = ["--data", str(needed(ADULT))] if request.param == "adult" else []
    logdir = tmp_path_factory.mktemp("income") / "runs"
    run_demo("income.py", logdir, "--epochs", "2", *data)
    with serve(logdir) as url:
        wait_for_snapshots(url, 2)
        yield url


def test_income_shows_its_attributes_and_more_than_sixty_subsets(income: str, open_tab: OpenTab) -> None:
    tab = open_tab(income, width=1280, height=800, hash_state=CLOSED)
    tab.open_layer("hidden_2")
    panel = tab.get("panel", layer="hidden_2")
    rows = panel.get_by_role("grid").get_attribute("aria-label") or ""
    assert int(rows.split(": ")[1].split(" rows")[0]) > 60
    tab.get("instance-square").first.hover()
    facts = tab.get("instance-card").locator("dt").all_inner_texts()
    assert len(facts) in {14, 30}
    tab.screenshot("income")


def test_two_of_sixty_rows_are_compared_and_the_last_one_is_scrolled_to(income: str, open_tab: OpenTab) -> None:
    tab = open_tab(income, width=1280, height=800, hash_state=CLOSED)
    tab.open_layer("hidden_2")
    before = tab.wait("the neurons", lambda state: state["columns"].get("hidden_2"))["columns"]["hidden_2"]
    labels = tab.get("panel", layer="hidden_2").get_by_test_id("row-label")
    labels.nth(1).wait_for()
    for name in [labels.nth(at).get_attribute("data-row") for at in (0, 1)]:
        label = tab.row_label("hidden_2", name or "").locator("xpath=../..")
        label.hover()
        label.get_by_test_id("row-compare").click()
    state = tab.wait("another order", lambda state: state["columns"]["hidden_2"] != before)
    assert sorted(state["columns"]["hidden_2"]) == list(range(32))
    tab.get("panel", layer="hidden_2").get_by_role("grid").hover()
    tab.page.mouse.wheel(0, 9000)
    with urllib.request.urlopen(f"{income}data/plugin/activis/runs") as answer:
        last = json.load(answer)["runs"][0]["snapshots"][0]["subsets"][-1]["name"]
    tab.row_label("hidden_2", last).wait_for()
    tab.screenshot("income-compared")


def test_a_row_that_is_added_below_sixty_others_comes_into_sight(income: str, open_tab: OpenTab) -> None:
    tab = open_tab(income, width=1280, height=800, hash_state=CLOSED)
    tab.open_layer("hidden_2")
    tab.get("panel", layer="hidden_2").get_by_test_id("row-label").first.wait_for()
    condition = "label <> predicted AND score > 0.8"
    tab.get("subset-input").fill(condition)
    tab.get("subset-input").press("Enter")
    tab.row_label("hidden_2", condition).wait_for()
    tab.screenshot("income-added")
