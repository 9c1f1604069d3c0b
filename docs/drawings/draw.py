"""Drawings of the design page: the rooms with their imports, and the ways of a batch and of a condition.

Run it after a change; a test holds that the pictures are what it draws, and that every module in them exists.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

FOLDER = Path(__file__).parent
WIDTH = 960
BLUE, YELLOW, GREY, GREEN = "#e3edf9", "#fdf3d7", "#eceff1", "#e4f2e6"
STYLE = (
    "text { font: 13px Roboto, Helvetica, Arial, sans-serif; fill: #202124 } .mono { font: 11px monospace } "
    ".title { font-weight: 600 } .small { font-size: 12px; fill: #50555b } "
    ".box { fill: #fff; stroke: #9aa0a6 } .arrow { fill: none; stroke: #5f6368; stroke-width: 1.4 }"
)


@dataclass(frozen=True)
class Step:
    """One box of a way.

    Attributes:
        module: Below `activis_tb` or `frontend/src`, without its ending; empty for what is no module.
        text: What happens there, one line each.
    """

    module: str
    text: tuple[str, ...]


@dataclass(frozen=True)
class Lane:
    """A process that a way goes through."""

    title: str
    colour: str
    root: str
    steps: tuple[Step, ...]


def step(module: str, *text: str) -> Step:
    """Returns a box of a way."""
    return Step(module, text)


RECORDING = (
    Lane(
        "The training or evaluation loop",
        YELLOW,
        "activis_tb",
        (
            step("recording/api", "process(labels, scores, …)", "the public call"),
            step("recording/recorder", "one recording in memory"),
            step(
                "recording/batch",
                "checks the batch with arrays,",
                "attributes, identity,",
                "selections",
            ),
            step("recording/blocks", "joins batches to blocks of", "about 4,096 instances"),
        ),
    ),
    Lane(
        "A background thread",
        GREY,
        "activis_tb",
        (
            step("recording/conditions", "members of subsets that are", "conditions, by DuckDB"),
            step("recording/statistics", "count, mean, std, min, max,", "active, per subset and neuron"),
            step("recording/sample", "bottom-k by hashed ids"),
            step("recording/dataset", 'keep="all": every instance', "to storage/side_files"),
        ),
    ),
    Lane(
        "postprocess: one snapshot",
        GREEN,
        "activis_tb",
        (
            step("model", "Snapshot: manifest,", "statistics, sample"),
            step("storage/encoding", "blob 0 is the manifest,", "the others are arrays"),
            step("storage/events", "one event, one tag"),
            step("storage/folders", "a temporary file, fsync,", "rename: whole or absent"),
        ),
    ),
)

TYPING = (
    Lane(
        "Browser: a condition is typed",
        BLUE,
        "frontend/src",
        (
            step("views/subsets/condition_field", "every keystroke"),
            step("store/draft", "debounced by 150 ms"),
            step("store/resource", "the latest request wins"),
            step("contract/client", "GET subset?condition=…"),
        ),
    ),
    Lane(
        "TensorBoard process: who is in it?",
        GREY,
        "activis_tb",
        (
            step("plugin/plugin", "TensorBoard's door"),
            step("plugin/routes", "parameters by plugin/http"),
            step("plugin/snapshots", "(run, name, step), its", "sessions joined"),
            step("plugin/resources/subsets", "members, described"),
            step("conditions/check", "text to a checked tree,", "by grammar, operands, schema"),
            step("plugin/populations", "everything stored, or the", "sample"),
            step("conditions/engine", "tree to members: table, sql,", "duck; 2 s at most"),
            step("analysis/estimates", "counts between limits"),
        ),
    ),
    Lane(
        "Enter: the browser asks for averages",
        BLUE,
        "frontend/src",
        (
            step("store/subset_list", "a name and a condition"),
            step("store/rows", "a row of every matrix"),
            step("store/layer", "its numbers in this layer"),
            step("contract/client", "GET subset_statistics"),
        ),
    ),
    Lane(
        "TensorBoard process: what do the neurons do over it?",
        GREY,
        "activis_tb",
        (
            step("plugin/routes", "as above"),
            step("plugin/resources/subsets", "the same members, from a", "cache"),
            step("plugin/resources/statistics", "by analysis/stored and codes,", "or analysis/estimates"),
            step("plugin/http", ".npy and Activis-* headers"),
        ),
    ),
    Lane(
        "Browser: the row is painted",
        BLUE,
        "frontend/src",
        (
            step("contract/npy", "bytes to Float64Array"),
            step("store/layer", "values, order of the neurons"),
            step("views/panel/matrix_context", "where rows and columns", "stand, which are in sight"),
            step("views/panel/cells", "paints by draw/matrix,", "draw/raster, draw/palette"),
        ),
    ),
)

ROOMS_PYTHON = (
    ("foundation", YELLOW, ("model", "positions", "errors", "times")),
    ("libraries' doors and mathematics", GREEN, ("storage", "conditions", "analysis", "graph")),
    ("two halves that never meet", BLUE, ("recording", "plugin")),
    ("doors for frameworks", GREY, ("keras", "torch", "summary", "subsets")),
)
ROOMS_FRONTEND = (
    ("wire", YELLOW, ("contract",)),
    ("no store in them", GREEN, ("language", "draw")),
    ("without draw", BLUE, ("store",)),
    ("shared parts", GREY, ("ui",)),
    ("each knows no other", BLUE, ("views",)),
    ("all of it", GREY, ("app.tsx",)),
)

BOX, GAP, MARGIN, LINE = 212, 20, 22, 16
PER_ROW = 4


def text(x: float, y: float, content: str, kind: str = "", anchor: str = "start") -> str:
    """Returns one line of text."""
    return f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">{escape(content, quote=False)}</text>'


def rectangle(x: float, y: float, width: float, height: float, colour: str = "", kind: str = "") -> str:
    """Returns a rounded rectangle, of a colour or of a class of the style."""
    look = f'fill="{colour}"' if colour else f'class="{kind}"'
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" {look}/>'


def arrow(points: Sequence[tuple[float, float]]) -> str:
    """Returns a line through `points` that ends in a head."""
    path = " ".join(f"{x:g},{y:g}" for x, y in points)
    return f'<polyline points="{path}" class="arrow" marker-end="url(#head)"/>'


def picture(title: str, height: float, parts: Iterable[str]) -> str:
    """Returns a whole SVG on white, so that it reads on dark pages as well."""
    head = '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style>",
            f'<defs>{head}<path d="M0 0 8 4 0 8z" fill="#5f6368"/></marker></defs>',
            f'<rect width="{WIDTH}" height="{height:g}" fill="#fff"/>',
            *parts,
            "</svg>",
            "",
        ]
    )


def way(title: str, lanes: Sequence[Lane]) -> str:
    """Returns a way through modules, lane by lane, box by box in reading order."""
    parts: list[str] = []
    arrows: list[str] = []
    top, before = 10.0, None
    for lane in lanes:
        rows = [lane.steps[at : at + PER_ROW] for at in range(0, len(lane.steps), PER_ROW)]
        heights = [26 + LINE * max(len(box.text) for box in row) for row in rows]
        height = 34 + sum(heights) + GAP * (len(rows) - 1) + 12
        parts += [
            rectangle(8, top, WIDTH - 16, height, lane.colour),
            text(MARGIN + 34, top + 21, lane.title, "title"),
            text(WIDTH - MARGIN, top + 21, f"{lane.root}/", "mono", "end"),
        ]
        y = top + 34
        for row, tall in zip(rows, heights, strict=True):
            for at, box in enumerate(row):
                x = MARGIN + at * (BOX + GAP)
                parts += [
                    rectangle(x, y, BOX, tall, kind="box"),
                    text(x + 9, y + 18, box.module, "mono title"),
                    *(text(x + 9, y + 18 + LINE * (n + 1), line, "small") for n, line in enumerate(box.text)),
                ]
                if before is not None:
                    arrows.append(arrow(turn(before, (x, y, tall))))
                before = (x, y, tall)
            y += tall + GAP
        top += height + 16
    return picture(title, top - 6, [*parts, *arrows])


def turn(before: tuple[float, float, float], after: tuple[float, float, float]) -> list[tuple[float, float]]:
    """Returns the line from a box to the next one, each given by left, top and height."""
    (left, top, tall), (x, y, _) = before, after
    if x > left:
        return [(left + BOX, top + 20), (x - 2, y + 20)]
    between = y - 46 if y - top - tall > GAP else y - GAP / 2
    edge = left + BOX / 2
    return [
        (edge, top + tall),
        (edge, max(between, top + tall + 5)),
        (x + 16, max(between, top + tall + 5)),
        (x + 16, y - 2),
    ]


def rooms() -> str:
    """Returns the rooms of both languages as columns; each may import those at its left that are named below it."""
    parts: list[str] = []
    for top, title, columns in (
        (10, "Python: activis_tb/", ROOMS_PYTHON),
        (246, "TypeScript: frontend/src/", ROOMS_FRONTEND),
    ):
        parts.append(text(12, top + 16, f"{title}    a room imports rooms at its left alone", "title"))
        pitch = (WIDTH - 24) / len(columns)
        tall = max(len(names) for _, _, names in columns) * 34 + 34
        for at, (what, colour, names) in enumerate(columns):
            x, y = 12 + at * pitch, top + 28
            parts += [
                rectangle(x, y, pitch - 34, tall, colour),
                text(x + (pitch - 34) / 2, y + tall - 10, what, "small", "middle"),
            ]
            for n, name in enumerate(names):
                parts += [
                    rectangle(x + 10, y + 10 + 34 * n, pitch - 54, 26, kind="box"),
                    text(x + (pitch - 34) / 2, y + 28 + 34 * n, name, "mono", "middle"),
                ]
            if at:
                parts.append(arrow([(x - 2, y + 23), (x - 32, y + 23)]))
    return picture("Rooms of activis-tb", 380, parts)


def drawings() -> dict[str, str]:
    """Returns the pictures by file name."""
    return {
        "rooms.svg": rooms(),
        "batch.svg": way("The way of a batch into an event file", RECORDING),
        "condition.svg": way("The way of a condition to its row", TYPING),
    }


def modules() -> Iterator[str]:
    """Yields the paths, without endings, of the modules and rooms in the pictures."""
    for lane in (*RECORDING, *TYPING):
        yield from (f"{lane.root}/{box.module}" for box in lane.steps)
    for root, columns in (("activis_tb", ROOMS_PYTHON), ("frontend/src", ROOMS_FRONTEND)):
        yield from (f"{root}/{name}" for _, _, names in columns for name in names)


if __name__ == "__main__":
    for name, content in drawings().items():
        (FOLDER / name).write_text(content, encoding="utf-8")
