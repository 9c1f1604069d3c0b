"""Over the steps of a run: playing them, and one layer at all of them."""

import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.end_to_end.axe import violations
from tests.end_to_end.conftest import serve, wait_for_snapshots
from tests.end_to_end.tab import TIMEOUT, Tab
from tests.snapshots import make_snapshot, write_snapshot

pytestmark = pytest.mark.browser

STEPS = (0, 10, 20)
ROWS = 30
HIGHER = 3
"""By how much a second run is above the first, everywhere; its ants are higher still."""
LABELS = np.arange(ROWS) % 3
CLASSES = ["ant", "bee", "cat"]
LAYERS = "&p.activis.run=cnn%2Factivis&p.activis.layers=hidden"


def hidden(step: int) -> np.ndarray:
    """Three classes that move apart with every step, float32 (rows, 5)."""
    noise = np.random.default_rng(7).normal(size=(ROWS, 5))
    return (noise + np.eye(3, 5)[LABELS] * 0.4 * step).astype(np.float32)


def higher(step: int) -> np.ndarray:
    """The same on twice the scale, where ants rise in the last two neurons too; float32 (rows, 5)."""
    rise = np.where(LABELS == 0, 0.1 * step, 0)[:, None] * np.array([0, 0, 0, 1, 2])
    return (2 * hidden(step) + HIGHER + rise).astype(np.float32)


def ants_apart(values: np.ndarray) -> np.ndarray:
    """By neuron, how many standard deviations over all the mean of the ants is above that over all."""
    wide = values.astype(np.float64)
    return (wide[LABELS == 0].mean(axis=0) - wide.mean(axis=0)) / wide.std(axis=0)


def scores(step: int) -> np.ndarray:
    """At step 0 every ant is taken for a bee; later everything is right."""
    predicted = np.where((LABELS == 0) & (step == 0), 1, LABELS)
    return np.where(np.arange(3) == predicted[:, None], 0.8, 0.1)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    logdir = tmp_path_factory.mktemp("steps") / "logs"
    for step in STEPS:
        for run, activations in (("cnn/activis", hidden(step)), ("higher/activis", higher(step))):
            layers = {"hidden": activations, "output": scores(step)}
            snapshot = make_snapshot(
                layers,
                LABELS.tolist(),
                step=step,
                classes=CLASSES,
                scores=scores(step),
                ids=[f"n{row}" for row in range(ROWS)],
            )
            write_snapshot(logdir, run, snapshot)
    with serve(logdir) as address:
        wait_for_snapshots(address, 2 * len(STEPS))
        yield address


def test_playing_shows_every_step_whole(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state=f"{LAYERS}&p.activis.step=0")
    tab.wait("the projection", lambda state: (state["projection"].get("hidden") or {}).get("method") == "tsne")
    tab.frame.wait_for_function(
        """() => __activis.row("hidden", "class:ant") && !document.querySelector(".projection-waiting, .panel .bone")"""
    )
    tab.frame.evaluate(
        """() => {
            window.seen = [];
            const look = () => {
                const { step } = __activis.state();
                const waits = document.querySelector(".projection-waiting, .panel .bone");
                const whole = !waits && __activis.row("hidden", "class:ant");
                if (window.seen.at(-1)?.step !== step || !whole) window.seen.push({ step, whole: whole && whole[0] });
                requestAnimationFrame(look);
            };
            look();
        }"""
    )
    tab.get("play").click()
    tab.wait("the last step", lambda state: state["step"] == 20)
    tab.frame.wait_for_selector('[data-testid="play"][aria-pressed="false"]')
    seen = tab.frame.evaluate("window.seen")
    assert [one["step"] for one in seen] == list(STEPS)
    expected = [hidden(step)[LABELS == 0, 0].astype(np.float64).mean() for step in STEPS]
    assert [one["whole"] for one in seen] == pytest.approx(expected, rel=1e-5)
    tab.wait_for_address("projection=steps-30")


def test_playing_beside_another_run_shows_both_at_the_same_step(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(
        url,
        hash_state=f"{LAYERS}&p.activis.step=0&p.activis.show=difference&p.activis.vs=higher%252Factivis,validation,",
    )
    tab.wait(
        "B",
        lambda state: state["sides"] and state["sides"][0]["layers"].get("hidden", {"partners": None})["partners"],
    )
    tab.wait("its places", lambda state: state["sides"][0]["layers"]["hidden"]["placed"] == ROWS)
    tab.frame.wait_for_function("""() => __activis.sideRow("B", "hidden", "class:ant")""")
    tab.frame.evaluate(
        """() => {
            window.seen = [];
            const look = () => {
                const { step, sides: [side] } = __activis.state();
                const above = __activis.sideRow("B", "hidden", "class:ant");
                const { partners, placed } = side.layers.hidden;
                const one = { step, other: side.step, above, placed, partners };
                if (JSON.stringify(window.seen.at(-1)) !== JSON.stringify(one)) window.seen.push(one);
                requestAnimationFrame(look);
            };
            look();
        }"""
    )
    tab.get("play").click()
    tab.wait("the last step", lambda state: state["step"] == 20)
    tab.frame.wait_for_selector('[data-testid="play"][aria-pressed="false"]')
    played = [one for one in tab.frame.evaluate("window.seen") if one["step"] > 0]
    assert [(one["step"], one["other"]) for one in played] == [(10, 10), (20, 20)], "nothing in between"
    for one in played:
        assert one["partners"] == list(range(5))
        expected = ants_apart(higher(one["step"])) - ants_apart(hidden(one["step"]))
        assert np.abs(expected).max() > 0.2, "the runs differ"
        assert one["above"] == pytest.approx(expected, abs=1e-4), "each is measured on its own scale"
    assert [one["placed"] for one in played] == [ROWS, ROWS]


def test_a_layer_over_the_steps(url: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(url, hash_state=f"{LAYERS}&p.activis.step=20")
    tab.get("over-steps-button").click()
    accuracy, silhouette = (tab.get("step-chart", chart=name) for name in ("accuracy", "silhouette"))
    ants = accuracy.locator('path[data-name="ant"] title')
    expect(ants).to_have_text("ant: step 0 0 %, step 10 100 %, step 20 100 %")
    bees = accuracy.locator('path[data-name="bee"] title')
    expect(bees).to_have_text("bee: step 0 100 %, step 10 100 %, step 20 100 %")
    for step in STEPS:
        tab.get("step-picture", step=str(step), ready="true").wait_for(timeout=2 * TIMEOUT * 1000)
    title = silhouette.locator('path[data-name="all"] title')
    expect(title).to_have_text(re.compile(r"step 0 .*step 10 .*step 20 "))
    values = [float(part.split()[-1].replace("−", "-")) for part in (title.text_content() or "").split(", ")]
    assert values == sorted(values)
    assert values[0] < 0.1
    assert values[2] > 0.4
    expect(tab.get("separation")).to_have_text(f"silhouette {values[2]:.2f}", use_inner_text=True)
    tab.wait_for_address("over=hidden")
    assert violations(tab, '[data-testid="over-steps"]') == []

    tab.get("step-picture", step="0").click()
    tab.wait("step 0", lambda state: state["step"] == 0)
    tab.get("likeness-cell").nth(3).wait_for(timeout=2 * TIMEOUT * 1000)
    cells = {
        (cell.get_attribute("data-layer"), cell.get_attribute("data-other")): cell
        for cell in tab.get("likeness-cell").all()
    }
    assert set(cells) == {(one, other) for one in ("hidden", "output") for other in ("hidden", "output")}
    cells["hidden", "output"].click()
    state = tab.wait("the pair", lambda state: state["sides"] and "hidden" in state["sides"][0]["layers"])
    assert (state["sides"][0]["step"], state["sides"][0]["layers"]["hidden"]["recorded"]) == (20, "output")
    tab.screenshot("over_steps")
