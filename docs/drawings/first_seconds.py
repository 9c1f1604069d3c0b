"""Recording of the first twenty seconds in the tab: docs/first_seconds.webp, on the start page and in the README.

    python -m docs.drawings.first_seconds [--logdir demo-runs]

It walks through the questions demo in Chromium, and trains it first where there is none in the folder. Pointer and
captions are painted by the page. Run it after a change that one sees.
"""

import argparse
import io
import math
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from playwright.sync_api import Frame, Locator, Page

from benchmarks._chromium import DEBUG, TIMEOUT, browser
from benchmarks._tensorboard import start

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "docs" / "first_seconds.webp"
RUN = "questions/dropout-0.5/activis"
WIDTH, HEIGHT, CAPTION = 1280, 800, 40
"""In pixels, the caption below TensorBoard's page."""
QUALITY = 80
MILLISECONDS = 60
"""Between two places of a moving pointer."""
STRIDE = 70
"""Pixels between two places of a moving pointer, where it is fastest."""

OVERLAY = """caption => {
    document.documentElement.style.height = `calc(100% - ${caption}px)`;
    const style = document.createElement("style");
    style.textContent = `
        #walk-caption { position: fixed; inset: auto 0 0 0; height: ${caption}px; display: grid; place-items: center;
            background: #202124; color: #fff; font: 500 17px Roboto, sans-serif; z-index: 9 }
        #walk-pointer { position: fixed; left: 0; top: 0; z-index: 10; pointer-events: none }
        #walk-pointer circle { opacity: 0 }
        #walk-pointer.pressed circle { opacity: 0.45 }`;
    const line = Object.assign(document.createElement("div"), { id: "walk-caption" });
    const pointer = Object.assign(document.createElement("div"), { id: "walk-pointer" });
    pointer.innerHTML = `<svg width="48" height="48" viewBox="-16 -16 48 48" style="margin: -16px 0 0 -16px">
        <circle r="14" fill="#1a73e8"/>
        <path d="M0 0 V17 L4.2 13.2 L7 19.6 L9.9 18.3 L7.2 12.1 H12.8 Z" fill="#111" stroke="#fff" stroke-width="1.4"/>
    </svg>`;
    document.head.append(style);
    document.body.append(line, pointer);
}"""


@dataclass
class Recording:
    """A page that is walked through, and the pictures of it so far."""

    page: Page
    frame: Frame
    place: tuple[float, float] = (WIDTH * 0.6, HEIGHT * 0.93)
    pictures: list[Image.Image] = field(default_factory=list)
    durations: list[int] = field(default_factory=list)

    def say(self, caption: str) -> None:
        """Shows a caption below the page from now on."""
        self.page.evaluate("text => { document.getElementById('walk-caption').textContent = text }", caption)

    def shoot(self, milliseconds: int) -> None:
        """Keeps what is seen for so long; a picture like the last one lengthens that."""
        picture = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        if self.pictures and self.pictures[-1].tobytes() == picture.tobytes():
            self.durations[-1] += milliseconds
            return
        self.pictures.append(picture)
        self.durations.append(milliseconds)

    def move(self, target: Locator, share: float = 0.5) -> None:
        """Moves the pointer to a target, to that share of its width; after it, where the view moves on the way."""
        for _ in range(4):
            box = target.bounding_box()
            assert box, f"{target} is not in sight"
            end = (box["x"] + share * box["width"], box["y"] + box["height"] / 2)
            if math.dist(self.place, end) < 1:
                return
            self._go(end)
            self.page.wait_for_timeout(600)

    def _go(self, end: tuple[float, float]) -> None:
        """Goes there, fastest in the middle of the way."""
        start = self.place
        places = max(4, round(math.dist(start, end) / STRIDE))
        for number in range(1, places + 1):
            way = (1 - math.cos(math.pi * number / places)) / 2
            self.put(*(first + way * (last - first) for first, last in zip(start, end, strict=True)))
            self.shoot(MILLISECONDS)

    def put(self, x: float, y: float, pressed: bool = False) -> None:
        self.place = (x, y)
        self.page.mouse.move(x, y)
        self.page.evaluate(
            """([x, y, pressed]) => {
                const pointer = document.getElementById("walk-pointer");
                pointer.style.transform = `translate(${x}px, ${y}px)`;
                pointer.classList.toggle("pressed", pressed);
            }""",
            [x, y, pressed],
        )

    def click(self) -> None:
        """Presses where the pointer is."""
        self.put(*self.place, pressed=True)
        self.shoot(180)
        self.page.mouse.click(*self.place)
        self.put(*self.place)

    def rest(self, seconds: float) -> None:
        """Lets the eye rest on what is there once everything is painted."""
        self.page.wait_for_timeout(900)
        self.frame.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self.shoot(round(1000 * seconds))

    def save(self, path: Path) -> None:
        first, *others = self.pictures
        first.save(
            path,
            save_all=True,
            append_images=others,
            duration=self.durations,
            loop=0,
            quality=QUALITY,
            method=4,
            allow_mixed=True,
        )


def walk(recording: Recording, find: Callable[[str], Locator]) -> None:
    """Does what a newcomer would do in the first seconds."""
    hidden = '[data-testid="panel"][data-layer="hidden"] '
    recording.say("A word CNN that classifies questions: its last hidden layer and its output are open at once")
    recording.put(*recording.place)
    recording.rest(2.6)
    recording.say("Rows are classes, columns are neurons. Point at a class: it lights up in every view")
    recording.move(find(f'{hidden}[data-testid="row-label"][data-row="NUM"]'), 0.15)
    recording.rest(2.2)
    recording.say("The sentence names the strongest confusion. A click keeps its instances lit …")
    recording.move(find('[data-testid="sentence"] p button').first)
    recording.rest(0.6)
    recording.click()
    recording.rest(1.8)
    recording.say("… and they become a row of every matrix")
    recording.move(find('[data-testid="sentence-row"]'))
    recording.click()
    recording.rest(1.6)
    recording.say("Sorted by that row: the neurons that these errors excite most, and which class they belong to")
    recording.move(find(f'{hidden}[data-testid="row-label"][data-kind="subset"]').last, 0.15)
    recording.click()
    recording.rest(2.2)
    recording.say("Every square is an instance: read what went wrong")
    recording.move(find('[data-testid="instance-square"][data-label="NUM"][data-predicted="DESC"]').first)
    recording.rest(2.0)
    recording.say("One layer alone, with all of its neurons")
    recording.move(find(f'{hidden}[data-testid="maximise"]'))
    recording.click()
    recording.rest(2.8)


def record(logdir: Path) -> Recording:
    """Returns the walk through the demo's questions in `logdir`."""
    with start(logdir) as server, browser() as chromium:
        context = chromium.new_context(
            viewport={"width": WIDTH, "height": HEIGHT + CAPTION}, reduced_motion="reduce", color_scheme="light"
        )
        context.add_init_script(path=DEBUG)
        page = context.new_page()
        page.set_default_timeout(TIMEOUT)
        page.goto(f"{server.url}/#activis&p.activis.run={RUN.replace('/', '%2F')}")
        handle = page.wait_for_selector('iframe[src*="name=activis"]', state="attached")
        frame = handle and handle.content_frame()
        assert frame, "TensorBoard shows no ACTIVIS tab"
        page.evaluate(OVERLAY, CAPTION)
        frame.wait_for_selector('[data-testid="sentence"] p button')
        frame.wait_for_function(
            """() => Object.entries(window.__activis?.state().projection ?? {}).length > 1
                && Object.values(__activis.state().projection).every(one => one?.method === "tsne" && one.done)"""
        )
        frame.wait_for_selector('[data-testid="graph-health"]')
        recording = Recording(page, frame)
        walk(recording, page.frame_locator('iframe[src*="name=activis"]').locator)
        context.close()
        return recording


def train(logdir: Path) -> None:
    """Trains and records the demo's questions, unless `logdir` has them."""
    command = [sys.executable, str(ROOT / "demo" / "questions.py"), "--logdir", str(logdir)]
    subprocess.run(command, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Record the first twenty seconds in the tab.")
    parser.add_argument("--logdir", type=Path, help="folder of the demo's runs (else they are trained)")
    options = parser.parse_args()
    with ExitStack() as stack:
        logdir = options.logdir or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        train(logdir)
        recording = record(logdir)
    recording.save(TARGET)
    seconds, bytes_ = sum(recording.durations) / 1000, TARGET.stat().st_size
    sys.stdout.write(f"{TARGET}: {len(recording.pictures)} pictures, {seconds:.1f} s, {bytes_ / 1e6:.2f} MB\n")


if __name__ == "__main__":
    main()
