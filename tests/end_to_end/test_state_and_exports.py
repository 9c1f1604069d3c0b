"""The tab's state in the address, steps that come while it is open, and what can be taken along."""

import csv
import io
import json
import re
import urllib.request
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.end_to_end.animals import CLASSES, NEURONS, RUN, TEXTS, WRONG, write_animals
from tests.end_to_end.conftest import serve, wait_for_snapshots
from tests.end_to_end.tab import Tab

pytestmark = pytest.mark.browser

OPEN = f"&p.activis.run={RUN.replace('/', '%2F')}&p.activis.layers=hidden,output"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    logdir = tmp_path_factory.mktemp("state") / "runs"
    write_animals(logdir, 1, 2, 3)
    with serve(logdir) as url:
        wait_for_snapshots(url, 3)
        yield url


@pytest.fixture
def tab(url: str, open_tab: Callable[..., Tab]) -> Tab:
    return shown(open_tab(url, hash_state=OPEN))


def shown(tab: Tab) -> Tab:
    tab.wait("the columns", lambda state: len(state["columns"].get("hidden", [])) == NEURONS)
    return tab


def fold(tab: Tab) -> None:
    """Waits until the next change is a step of the history of its own."""
    tab.page.wait_for_timeout(1_100)


def test_back_and_forward_walk_through_the_choices(tab: Tab) -> None:
    tab.click_row("hidden", "dog")
    tab.wait("sorted", lambda state: state["sort"] == "class:dog")
    tab.get("instance-square", row=str(WRONG)).click()
    tab.wait("pinned", lambda state: state["pinned"] == [f"animal{WRONG}"])
    tab.page.go_back()
    tab.wait("not pinned", lambda state: state["pinned"] == [] and state["sort"] == "class:dog")
    tab.page.go_back()
    tab.wait("not sorted", lambda state: state["sort"] == "strongest" and state["layers"] == ["hidden", "output"])
    tab.page.go_forward()
    tab.page.go_forward()
    tab.wait("both again", lambda state: state["sort"] == "class:dog" and state["pinned"] == [f"animal{WRONG}"])


def test_dragging_through_the_steps_is_one_step_of_the_history(tab: Tab) -> None:
    before = tab.page.evaluate("history.length")
    # Both within the second that changes of the same kind are folded in, however busy the machine is.
    tab.get("step-picker").evaluate(
        """(slider) => {
            for (const value of [1, 0]) {
                slider.value = value;
                slider.dispatchEvent(new Event("input", { bubbles: true }));
            }
        }"""
    )
    tab.wait("step 1", lambda state: state["step"] == 1)
    assert tab.page.evaluate("history.length") == before + 1
    tab.page.go_back()
    tab.wait("step 3 again", lambda state: state["step"] == 3)


def test_the_copied_link_shows_the_same_elsewhere(tab: Tab, url: str, open_tab: Callable[..., Tab]) -> None:
    tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.click_row("hidden", "bird")
    tab.get("step-picker").press("ArrowLeft")
    tab.wait("step 2", lambda state: state["step"] == 2)
    tab.get("copy-link").click()
    tab.get("copy-feedback").get_by_text("Link copied").wait_for()
    link = tab.page.evaluate("navigator.clipboard.readText()")
    assert link.startswith(f"{url}#activis&")
    other = shown(open_tab(url, hash_state=link.removeprefix(f"{url}#activis")))
    url_state = ("run", "name", "step", "layers", "sort", "pinned")
    assert {key: other.state()[key] for key in url_state} == {key: tab.state()[key] for key in url_state}
    assert other.state()["step"] == 2


def test_a_state_too_long_for_a_link_says_so_and_survives_a_reload(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = shown(open_tab(url, hash_state=OPEN))
    many = ",".join(f"nobody{number}" for number in range(1_500))
    tab.page.evaluate("many => { location.hash += `&p.activis.pinned=animal0,${many}` }", many)
    tab.wait("the long state", lambda state: len(state["pinned"]) == 1_501)
    tab.get("instance-square", row="2").click()
    tab.wait("one more", lambda state: len(state["pinned"]) == 1_502)
    assert len(tab.page.evaluate("location.hash")) < 8_192
    tab.get("notes").click()
    assert "too long for a link" in tab.frame.evaluate("document.querySelector('.notes').innerText")
    tab.page.reload()
    tab.get("tab").wait_for()
    state = tab.wait("it all again", lambda state: len(state["pinned"]) == 1_502)
    assert state["pinned"][0] == "animal0"
    assert state["pinned"][-1] == "animal2"


def download(tab: Tab, what: str, extension: str) -> bytes:
    menu = tab.get("download-menu")
    item = tab.get("download", what=what, format=extension)
    if item.count() == 0:
        menu.click()
    with tab.page.expect_download() as waiting:
        item.click()
    assert waiting.value.suggested_filename == f"activis_animals_validation_step3_{what}.{extension}"
    return Path(waiting.value.path()).read_bytes()


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_the_matrix_as_csv_has_the_rows_and_values_of_the_server(tab: Tab, url: str) -> None:
    tab.click_row("hidden", "dog")
    tab.get("instance-square", row=str(WRONG)).click()
    state = tab.wait("sorted and pinned", lambda state: state["pinned"] and state["sort"] == "class:dog")
    lines = table(download(tab, "hidden", "csv"))
    assert [(line["kind"], line["row"], line["instances"]) for line in lines] == [
        *(("class", name, "4") for name in CLASSES),
        ("subset", "young", "6"),
        ("instance", f"animal{WRONG}", "1"),
    ]
    assert list(lines[0])[3:] == [f"neuron {neuron}" for neuron in state["columns"]["hidden"]]
    query = {"run": RUN, "name": "validation", "step": 3, "layer": "hidden"}
    means = fetch(url, "statistics", **query, statistic="mean")
    expected = np.vstack([means, fetch(url, "activations", **query)[WRONG]])
    values = [[line[f"neuron {neuron}"] for neuron in range(NEURONS)] for line in lines]
    np.testing.assert_array_equal(np.array(values, np.float32), expected)


def fetch(url: str, route: str, **query: str | int) -> np.ndarray:
    with urllib.request.urlopen(f"{url}data/plugin/activis/{route}?{urlencode(query)}") as answer:
        return np.load(io.BytesIO(answer.read()))


def test_pinned_and_found_instances_as_csv_and_json(tab: Tab) -> None:
    tab.get("instance-square", row="1").click()
    fold(tab)
    tab.get("instance-square", row=str(WRONG)).click()
    tab.wait("two pinned", lambda state: len(state["pinned"]) == 2)
    tab.get("find-instances").fill("cat number")
    tab.get("find-count").get_by_text("4 of 12").wait_for()

    pinned = json.loads(download(tab, "pinned", "json"))
    assert [(one["id"], one["label"], one["predicted"]) for one in pinned] == [
        ("animal1", "dog", "dog"),
        (f"animal{WRONG}", "dog", "cat"),
    ]
    assert pinned[0]["attributes"] == {"text": TEXTS[1], "age": 1}
    assert pinned[1]["score"] == pytest.approx(0.6)
    lines = table(download(tab, "pinned", "csv"))
    assert lines[0]["text"] == "'" + TEXTS[1], "a text that looks like a formula is text"
    assert [line["age"] for line in lines] == ["1", str(WRONG)]
    found = table(download(tab, "found", "csv"))
    assert [line["text"] for line in found] == [TEXTS[row] for row in (0, 3, 6, 9)]


@pytest.mark.parametrize("what", ["hidden", "output", "instances", "graph"])
def test_a_picture_as_svg_keeps_its_text_and_as_png_its_size(tab: Tab, what: str) -> None:
    tab.wait("the projections", lambda state: all(state["projection"].values()))
    svg = download(tab, what, "svg").decode()
    root = ElementTree.fromstring(svg)
    words = " ".join("".join(text.itertext()) for text in root.iter(f"{SVG}text"))
    expected = {"hidden": ["young", "strongest class"], "output": ["young", "0.80", "predicted as"]}
    for word in expected.get(what, [*CLASSES] if what == "instances" else ["hidden", "Computation graph"]):
        assert word in words
    names = {"instances": "Instances", "graph": "Computation graph"}
    texts = [text.text or "" for text in root.iter(f"{SVG}text")]
    assert texts[0] == names.get(what, what)
    assert re.search(r"animals · validation · step \d · 12 instances", " · ".join(texts[1:3])), (
        "a figure says of what it is"
    )
    assert "▾" not in words, "a picture has no controls"
    legend = next((texts[at : at + 3] for at in (2, 3) if texts[at] == CLASSES[0]), [])
    assert (legend == [*CLASSES]) == (what != "graph")
    png = download(tab, what, "png")
    assert png.startswith(PNG_SIGNATURE)
    width = int.from_bytes(png[16:20])
    assert width == pytest.approx(2 * float(root.attrib["width"]), abs=2)


@pytest.mark.parametrize("what", ["hidden", "instances", "graph"])
def test_a_picture_has_the_width_that_was_chosen_and_the_page_its_own_again(tab: Tab, what: str) -> None:
    tab.wait("the projections", lambda state: all(state["projection"].values()))
    element = {"hidden": '[data-testid="panel"][data-layer="hidden"]'}.get(what, f'[data-testid="{what}"]')
    width = "element => document.querySelector(element).getBoundingClientRect().width"
    before = tab.frame.evaluate(width, element)
    tab.get("download-menu").click()
    tab.get("picture-width").fill("680")
    root = ElementTree.fromstring(download(tab, what, "svg").decode())
    assert float(root.attrib["width"]) == 680
    assert int.from_bytes(download(tab, what, "png")[16:20]) == 1360
    assert tab.frame.evaluate(width, element) == before
    words = " ".join("".join(text.itertext()) for text in root.iter(f"{SVG}text"))
    assert re.search(r"animals · validation · step \d · 12 instances", words)
    tab.get("picture-width").fill("20")
    tab.get("download", what=what, format="png").click()
    expect(tab.frame.get_by_role("alert")).to_have_text(re.compile("Such a picture is (280|640) to 4,000 pixels wide."))


def test_new_steps_appear_and_move_nothing_unless_they_are_followed(
    tmp_path: Path, open_tab: Callable[..., Tab]
) -> None:
    logdir = tmp_path / "runs"
    write_animals(logdir, 1)
    with serve(logdir, "--reload_interval", "1") as url:
        wait_for_snapshots(url, 1)
        tab = shown(open_tab(url, hash_state=f"{OPEN}&p.activis.projection=pca"))
        tab.get("instance-square", row="2").click()
        tab.leave()
        placed = ("hidden", "output")
        tab.wait_for_cells(*placed)
        tab.row_label("hidden", "animal2").wait_for()
        tab.wait("both projections", lambda state: all(map(state["projection"].get, placed)))
        tab.painted()
        before = tab.wait("pinned", lambda state: state["pinned"] == ["animal2"])
        columns = tab.frame.evaluate("document.querySelector('[data-testid=matrix]').toDataURL()")
        write_animals(logdir, 2)
        tab.get("new-steps").get_by_text("+1").wait_for()
        expect(tab.get("step-picker")).to_have_attribute("max", "1")
        assert tab.state() == before
        assert tab.frame.evaluate("document.querySelector('[data-testid=matrix]').toDataURL()") == columns

        tab.get("follow-latest").click()
        tab.wait("step 2", lambda state: state["step"] == 2)
        write_animals(logdir, 3)
        state = tab.wait("step 3", lambda state: state["step"] == 3)
        assert state["pinned"] == ["animal2"]
        assert "p.activis.follow=latest" in tab.page.evaluate("location.hash")
        tab.get("step-picker").press("ArrowLeft")
        tab.wait("step 2 by hand", lambda state: state["step"] == 2)
        expect(tab.get("follow-latest")).to_have_attribute("aria-pressed", "false")
