"""The ACTIVIS tab as a test sees it: a page of real TensorBoard in real Chromium."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from playwright.sync_api import ConsoleMessage, Frame, Locator, Page, expect

TIMEOUT = 90.0
"""Seconds a test waits for a thing to happen before it fails: long, for machines that are busy with other work."""
expect.set_options(timeout=TIMEOUT * 1000)


class Tab:
    """Wraps a page that shows the tab; all waiting is on conditions.

    Attributes:
        page: TensorBoard's page.
        complaints: Uncaught errors and console errors of the tab, in order.
    """

    def __init__(self, page: Page, url: str, screenshots: Path) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        self._screenshots = screenshots
        page.set_default_timeout(TIMEOUT * 1000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._note_error)

    def _note_error(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} {message.location['url']}")

    def open(self, hash_state: str = "", query: str = "") -> "Tab":
        self.page.goto(f"{self.url}{query}#activis{hash_state}")
        self.get("tab").wait_for(timeout=TIMEOUT * 1000)
        return self

    @property
    def frame(self) -> Frame:
        return next(frame for frame in self.page.frames if "plugin_entry.html?name=activis" in frame.url)

    def get(self, test_id: str, **attributes: str) -> Locator:
        """Finds by data-testid and, where given, data-* attributes."""
        conditions = "".join(f'[data-{name}="{value}"]' for name, value in attributes.items())
        return self.page.frame_locator('iframe[src*="name=activis"]').locator(f'[data-testid="{test_id}"]{conditions}')

    def state(self) -> dict[str, Any]:
        return self.frame.evaluate("window.__activis.state()")

    def wait(self, what: str, condition: Callable[[dict[str, Any]], Any], timeout: float = TIMEOUT) -> dict[str, Any]:
        """Waits until `condition` holds of the state, and returns that state."""
        deadline = time.monotonic() + timeout
        while True:
            state = self.state()
            if condition(state):
                return state
            assert time.monotonic() < deadline, f"waited {timeout:g} s for: {what}; the state is {state}"
            self.page.wait_for_timeout(50)

    def becomes(self, read: Callable[[], Any], expected: object, timeout: float = TIMEOUT) -> None:
        """Waits until `read` returns what is equal to `expected`."""
        deadline = time.monotonic() + timeout
        while (found := read()) != expected:
            assert time.monotonic() < deadline, f"waited {timeout:g} s for {expected!r}; there is {found!r}"
            self.page.wait_for_timeout(50)

    def wait_for_address(self, part: str) -> None:
        self.page.wait_for_url(lambda address: part in address, timeout=TIMEOUT * 1000, wait_until="commit")

    def painted(self, frames: int = 8) -> None:
        """Waits until that many frames more are painted, so that what waits for its turn is drawn."""
        self.frame.evaluate(
            """(left) => new Promise((resolve) => {
                const next = () => (left-- > 0 ? requestAnimationFrame(next) : setTimeout(resolve));
                next();
            })""",
            frames,
        )

    def open_layer(self, layer: str) -> None:
        self.get("graph-tensor", layer=layer).click()
        self.get("panel", layer=layer).wait_for(timeout=TIMEOUT * 1000)

    def wait_for_cells(self, *layers: str) -> None:
        """Waits until these layers alone are open, and something of each one's matrix is painted."""
        self.get("tab").wait_for()
        self.wait("layers", lambda state: state["layers"] == list(layers) and all(map(state["columns"].get, layers)))
        for layer in layers:
            matrix = self.get("panel", layer=layer).get_by_test_id("matrix")
            painted = """(canvas) => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
                .some((value, at) => at % 4 === 3 && value > 60)"""
            self.becomes(partial(matrix.evaluate, painted), True)

    def row_label(self, layer: str, row: str) -> Locator:
        return self.get("panel", layer=layer).locator(f'[data-testid="row-label"][data-row="{row}"]')

    def hover_row(self, layer: str, row: str) -> None:
        """Points at a row's name; the buttons that come over its end may be in the middle of the label."""
        self.row_label(layer, row).hover(position={"x": 24, "y": 6})

    def click_row(self, layer: str, row: str) -> None:
        self.row_label(layer, row).click(position={"x": 24, "y": 6})

    def bright_squares(self) -> list[int]:
        """The sampled rows whose squares have no veil over them; -1 for each that has one over some of its corners."""
        rows: list[int] = self.frame.evaluate(
            """() => {
                const veil = document.querySelector("[data-testid=veil]:not([hidden])");
                const squares = [...document.querySelectorAll("[data-testid=instance-square]")];
                const rows = squares.map(square => Number(square.dataset.row));
                if (!veil) return rows.sort((a, b) => a - b);
                const box = veil.getBoundingClientRect();
                const { data, width, height } = veil.getContext("2d").getImageData(0, 0, veil.width, veil.height);
                const ratio = width / box.width;
                const isCovered = (x, y) => {
                    const [column, line] = [x - box.left, y - box.top].map(at => Math.floor(at * ratio));
                    return column >= 0 && column < width && line >= 0 && line < height
                        && data[4 * (line * width + column) + 3] === 255;
                };
                const covered = squares.map(square => {
                    const { left, right, top, bottom } = square.getBoundingClientRect();
                    return [[left, top], [right, top], [left, bottom], [right, bottom]].map(([x, y]) =>
                        isCovered(x + (x === left ? 0.5 : -0.5), y + (y === top ? 0.5 : -0.5)));
                });
                return rows.filter((_, at) => !covered[at].every(one => one))
                    .map(row => covered[rows.indexOf(row)].some(one => one) ? -1 : row).sort((a, b) => a - b);
            }"""
        )
        return rows

    def ringed_columns(self, layer: str) -> list[list[int]]:
        """Of each matrix of a panel, the base's first, the columns at which a ring is drawn around a cell."""
        return self.get("panel", layer=layer).evaluate(
            """panel => [...panel.querySelectorAll(".matrix")].map(matrix => {
                const box = one => one.getBoundingClientRect();
                const left = box(matrix.querySelector(".matrix-canvases")).left;
                const pitch = box(matrix.querySelector(".column-band")).width;
                return [...matrix.querySelectorAll(".focus-ring, .cell-frame")]
                    .filter(ring => getComputedStyle(ring).visibility === "visible" && box(ring).top > 0)
                    .map(ring => Number(ring.closest(".bank").dataset.first)
                        + Math.floor((box(ring).left + box(ring).width / 2 - left) / pitch));
            })"""
        )

    def focused_cell(self) -> str:
        """What a screen reader is told of the focused cell of a matrix."""
        return self.frame.evaluate(
            "document.getElementById(document.activeElement.getAttribute('aria-activedescendant'))?.innerText ?? ''"
        )

    def leave(self) -> None:
        """Moves the mouse to where nothing is hovered."""
        self.page.mouse.move(2, 2)

    def screenshot(self, name: str) -> Path:
        path = self._screenshots / f"{name}.png"
        self.page.screenshot(path=path)
        return path
