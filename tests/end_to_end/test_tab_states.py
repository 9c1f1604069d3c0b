"""What the tab shows of unusual data: nothing, text that looks like HTML, dead and missing and broken neurons."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.end_to_end.conftest import serve, wait_for_snapshots
from tests.end_to_end.tab import Tab
from tests.snapshots import column, make_snapshot, write_graph, write_snapshot

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=parent.hacked=1>"
HOSTILE_SUBSET = f"{HOSTILE} subset"
NEURONS = 20
DEAD, WEAK, STRONG, GONE, PARTLY = 0, 1, 2, 3, 4
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc000000301010018dd8db0"
    "0000000049454e44ae426082"
)


@pytest.fixture(scope="module")
def logdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    logdir = tmp_path_factory.mktemp("states") / "runs"
    write_special_values(logdir)
    write_hostile_names(logdir)
    return logdir


def write_special_values(logdir: Path) -> None:
    """A layer with a dead, a weak, a strong, a wholly and a partly non-finite neuron; the class `bird` is empty."""
    values = np.full((12, NEURONS), 0.5, np.float32)
    values[:, DEAD], values[:, WEAK], values[:, STRONG] = 0, 0.004, 1
    values[:, GONE] = np.nan
    values[0, PARTLY], values[1, PARTLY] = np.inf, np.nan
    snapshot = make_snapshot({"hidden": values}, labels=[0, 1] * 6, classes=["cat", "dog", "bird"])
    write_snapshot(logdir, "values", snapshot)


def write_hostile_names(logdir: Path) -> None:
    values = np.arange(6 * NEURONS, dtype=np.float32).reshape(6, NEURONS)
    snapshot = make_snapshot(
        {HOSTILE: values},
        labels=[0, 1, 0, 1, 0, 1],
        name=HOSTILE,
        classes=[HOSTILE, "other"],
        ids=[f"{HOSTILE}{row}" for row in range(6)],
        scores=[[0.3, 0.7]] * 6,
        attributes=[
            column(HOSTILE, "text", [HOSTILE] * 6),
            column("topic", "category", [0] * 6, [HOSTILE]),
            column("picture", "image", [PNG] * 6),
        ],
        subsets={HOSTILE_SUBSET: [True] * 6},
        tensors={HOSTILE: "x:0"},
    )
    write_snapshot(logdir, HOSTILE, snapshot)
    write_graph(logdir, HOSTILE, hostile_graph())


def hostile_graph() -> bytes:
    from tensorboard.compat.proto.graph_pb2 import GraphDef

    graph = GraphDef()
    graph.node.add(name=HOSTILE, op=HOSTILE)
    graph.node.add(name="second", op="Relu", input=[HOSTILE])
    return graph.SerializeToString()


@pytest.fixture(scope="module")
def url(logdir: Path) -> Iterator[str]:
    with serve(logdir) as url:
        wait_for_snapshots(url, 2)
        yield url


def test_an_empty_log_directory_says_what_to_add(tmp_path: Path, open_tab: Callable[..., Tab]) -> None:
    (tmp_path / "runs").mkdir()
    with serve(tmp_path / "runs") as url:
        tab = open_tab(url)
        tab.get("empty-state").wait_for()
        text = tab.get("empty-state").inner_text()
        assert "No activations recorded yet" in text
        assert "ActivisCallback" in text
        tab.screenshot("state-empty")


def test_a_recording_that_comes_later_appears_on_reload(tmp_path: Path, open_tab: Callable[..., Tab]) -> None:
    (tmp_path / "runs").mkdir()
    with serve(tmp_path / "runs", "--reload_interval", "1") as url:
        tab = open_tab(url)
        tab.get("empty-state").wait_for()
        write_special_values(tmp_path / "runs")
        wait_for_snapshots(url, 1)
        tab.get("empty-state").get_by_role("button", name="Reload").click()
        tab.wait("the run", lambda state: state["run"] == "values")


def test_dead_weak_and_missing_values_look_different(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state="&p.activis.run=values&p.activis.panels=closed")
    tab.open_layer("hidden")
    tab.leave()
    tab.wait("the columns", lambda state: len(state["columns"]["hidden"]) == NEURONS)
    tab.wait("the projection", lambda state: state["projection"]["hidden"])
    tab.frame.wait_for_function("""() => __activis.row("hidden", "class:cat")""")
    tab.painted()
    dead, weak, strong, gone = (cell(tab, "cat", neuron) for neuron in (DEAD, WEAK, STRONG, GONE))
    empty_class = cell(tab, "bird", STRONG)
    assert 0 < ink(dead) < ink(gone) < ink(strong)
    assert ink(weak) > 3 * ink(dead)
    assert ink(gone) == ink(empty_class)
    # Columns begin within pixels: only cells of one column are alike to the last of them.
    np.testing.assert_array_equal(gone, cell(tab, "bird", GONE))
    assert np.abs(weak.astype(int) - strong.astype(int)).max() > 100
    panel = tab.get("panel", layer="hidden").inner_text()
    assert "2 neurons with non-finite values" in panel
    assert "0 instances" not in panel
    tab.screenshot("state-values")


def cell(tab: Tab, row: str, neuron: int) -> np.ndarray:
    """The pixels of one cell of the matrix, uint8 (height, width, 4)."""
    position = tab.state()["columns"]["hidden"].index(neuron)
    pixels = tab.frame.evaluate(
        """([row, position]) => {
            const panel = document.querySelector('[data-testid=panel][data-layer=hidden]');
            const canvas = panel.querySelector('[data-testid=matrix]');
            const box = canvas.getBoundingClientRect();
            const label = panel.querySelector(`[data-testid=row-label][data-row="${row}"]`).getBoundingClientRect();
            const scale = canvas.width / box.width;
            const pitch = panel.querySelector('.column-band').getBoundingClientRect().width * scale;
            const top = (label.top + label.height / 2 - box.top) * scale - 6;
            const image = canvas.getContext('2d').getImageData(position * pitch, top, pitch, 12);
            return {height: image.height, width: image.width, data: Array.from(image.data)};
        }""",
        [row, position],
    )
    return np.array(pixels["data"], np.uint8).reshape(pixels["height"], pixels["width"], 4)


def ink(pixels: np.ndarray) -> int:
    """How many pixels are painted."""
    return int((pixels[..., 3] > 60).sum())


def test_text_from_the_data_is_shown_as_text(url: str, open_tab: Callable[..., Tab]) -> None:
    run = HOSTILE.replace(" ", "%20").replace("=", "%3D")
    tab = open_tab(url, hash_state=f"&p.activis.panels=closed&p.activis.run={run}")
    tab.wait("the run", lambda state: state["run"] == HOSTILE)
    tab.get("graph-tensor").first.click()
    tab.get("panel").wait_for()
    square = tab.get("instance-square").first
    square.hover()
    tab.wait("the instance", lambda state: state["hover"])
    tab.becomes(lambda: HOSTILE in tab.get("instance-card").inner_text(), True)
    tab.screenshot("state-hostile")
    square.click()
    tab.get("panel").get_by_test_id("row-label").first.hover()
    rows = tab.get("panel").get_by_test_id("row-label")
    names = "all => all.slice(0, 3).map(one => one.dataset.row)"
    tab.becomes(lambda: rows.evaluate_all(names), [HOSTILE, "other", HOSTILE_SUBSET])
    text = tab.frame.evaluate("document.body.innerText")
    assert HOSTILE in text
    tab.painted()
    assert tab.page.evaluate("window.hacked") is None
    images = tab.frame.evaluate("Array.from(document.images, one => one.getAttribute('src'))")
    assert [source for source in images if source == "x"] == []


def test_a_truncated_recording_does_not_keep_the_others_away(tmp_path: Path, open_tab: Callable[..., Tab]) -> None:
    logdir = tmp_path / "runs"
    write_special_values(logdir)
    broken = make_snapshot({"hidden": np.ones((2, 3))}, labels=[0, 1], step=9)
    path = write_snapshot(logdir, "broken", broken)
    path.write_bytes(path.read_bytes()[:-40])
    with serve(logdir) as url:
        wait_for_snapshots(url, 1)
        tab = open_tab(url)
        tab.wait("the good run", lambda state: state["run"] == "values")
