"""The rooms of the house: imports run one way, heavy things stay behind their doors, files stay readable."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "activis_tb"
GENERATED = {"activis_pb2.py"}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name not in GENERATED)

FOUNDATION = {"model", "positions", "errors", "times"}
ALLOWED = {
    "__init__": {"recording", "keras", "subsets", "summary", "torch", *FOUNDATION},
    "model": {"positions"},
    "positions": set(),
    "errors": set(),
    "times": set(),
    "storage": FOUNDATION,
    "analysis": FOUNDATION,
    "conditions": FOUNDATION,
    "graph": FOUNDATION,
    "recording": {"storage", "analysis", "graph", "conditions", *FOUNDATION},
    "plugin": {"storage", "analysis", "graph", "conditions", *FOUNDATION},
    "summary": {"recording", "storage", *FOUNDATION},
    "keras": {"recording", *FOUNDATION},
    "torch": FOUNDATION,
    "subsets": {"conditions", *FOUNDATION},
}
"""By room, the rooms it may import."""

DOORS = {
    "tensorflow": {"summary", "keras"},
    "keras": {"keras"},
    "torch": {"torch", "keras"},
    "jax": {"keras"},
    "sklearn": {"analysis"},
    "openTSNE": {"analysis"},
    "threadpoolctl": {"analysis"},
    "scipy": {"analysis", "recording"},
    "werkzeug": {"plugin"},
    "cachetools": {"plugin"},
    "platformdirs": {"plugin"},
    "PIL": {"recording"},
    "google_crc32c": {"storage"},
    "fsspec": {"storage"},
    "duckdb": {"storage", "conditions"},
    "lark": {"conditions"},
}
"""By library, the rooms that may import it."""


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_modules(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute, so that a reader sees the room"
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path: Path) -> None:
    room = room_of(path)
    ours = {name.split(".")[1] for name in imported_modules(path) if name.startswith("activis_tb.")}
    assert ours - {room, "__version__"} <= ALLOWED[room]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_libraries_are_imported_behind_their_doors(path: Path) -> None:
    libraries = {name.split(".")[0] for name in imported_modules(path)} & DOORS.keys()
    assert {library for library in libraries if room_of(path) not in DOORS[library]} == set()


def source_files() -> list[Path]:
    front_end = [path for path in (ROOT / "frontend" / "src").rglob("*.ts*") if path.name != "activis.ts"]
    return [*MODULES, *front_end]


MOST_LINES = 500
FEWEST_LINES = 60
"""Of a module that only one other module imports."""
HEADLESS = re.compile(
    r"(What|How|Which|Whose|Whom?|Why|Where|When|Whether|If|That)\b|(Makes|Draws|Finds|Keeps|Reads|Writes|Turns|Tells|Says|"
    r"Shows|Puts|Checks|Counts|Has|Is|Are|Does|Collects|Evaluates|Returns|Records|Watches|Captures|Traces|Serves|Lays|"
    r"Moves|Opens|Brings|Names|Explains|Copies|Remembers|Paints|Lets|Asks|Places)\b"
)
"""Openings of first lines that do not name the module."""


def lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("path", source_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_can_be_read_in_one_sitting_and_its_first_line_names_it(path: Path) -> None:
    lines = lines_of(path)
    assert len(lines) <= MOST_LINES
    first = next(line for line in lines if line.strip("/* \n"))
    assert re.match(r'r?"""(t-SNE|[A-Z`])|(/\*\*)? ?\*? ?[A-Z`]', first), first
    assert not HEADLESS.match(first.lstrip('r/*" ')), first


def test_a_small_module_has_more_than_one_reader() -> None:
    names = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in MODULES}
    importers: dict[str, set[Path]] = {name: set() for name in names.values()}
    for path in MODULES:
        for imported in imported_modules(path):
            for name in (imported, imported.rpartition(".")[0]):
                if name in importers:
                    importers[name].add(path)
    small = {path: name for path, name in names.items() if len(lines_of(path)) < FEWEST_LINES}
    assert [name for path, name in small.items() if path.name != "__init__.py" and len(importers[name]) < 2] == []


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import activis_tb, sys; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"numpy", "google", "tensorboard", "tensorflow", "keras", "scipy"} & set(loaded) == set()


def test_the_public_names_are_there() -> None:
    import activis_tb

    assert [name for name in activis_tb.__all__ if not hasattr(activis_tb, name)] == []
    with pytest.raises(AttributeError, match=r"no attribute 'prepare'; public names: .*preprocess"):
        _ = activis_tb.prepare


def libraries_of(node: ast.Import | ast.ImportFrom) -> set[str]:
    names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_libraries_that_import_in_circles_are_imported_by_one_thread_at_a_time(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    held = {
        inner
        for outer in ast.walk(tree)
        if isinstance(outer, ast.With) and ast.unparse(outer.items[0]) == "IMPORTING"
        for inner in outer.body
    }
    late = [
        node
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom) and libraries_of(node) & {"sklearn", "openTSNE", "scipy"}
    ]
    assert [ast.unparse(node) for node in late if node not in held] == []
