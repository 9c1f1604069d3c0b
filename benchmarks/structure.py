"""Figures of the structure: modules, their lines and importers, and the modules that a recording and a condition cross.

`python benchmarks/structure.py [TREE]` measures this tree, or another one, such as a worktree of an earlier commit.
What a recording and a condition cross is what runs of TREE's own package: its generated modules have to be there.
"""

import argparse
import ast
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from statistics import median

_GENERATED = {"activis_pb2.py", "activis.ts", "language.ts"}
_IMPORT = re.compile(r'(?:from|import\()\s*"(\.[^"]+)"')
_CROSSING = """
import sys, tempfile, threading
from pathlib import Path
import numpy as np
import activis_tb
from tests.plugin.server import Server

package = str(Path(activis_tb.__file__).parent)
seen = set()

def watch(frame, event, argument):
    if event == "call" and frame.f_code.co_filename.startswith(package) and frame.f_code.co_name != "<module>":
        seen.add(frame.f_code.co_filename)

def watched(action):
    seen.clear()
    threading.setprofile(watch)
    sys.setprofile(watch)
    try:
        action()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return len(seen)

def record(step, old):
    rows = np.arange(60)
    with activis_tb.preprocess(
        logdir / "run", step=step, layers=["hidden"], classes=["a", "b"], subsets={"old": old}, quiet=True
    ) as snapshot:
        for part in (rows[:30], rows[30:]):
            scores = np.eye(2)[part % 2]
            columns = {"age": part, "text": [f"number {row}" for row in part]}
            snapshot.process(labels=part % 2, scores=scores, activations={"hidden": scores}, attributes=columns)

def ask(condition):
    for route, more in (("subset", {}), ("subset_statistics", {"layer": "hidden", "statistic": "mean"})):
        answer = server.get(route, **key, condition=condition, **more)
        assert answer.status_code == 200, answer.get_data(as_text=True)

with tempfile.TemporaryDirectory() as folder:
    logdir = Path(folder)
    for step, old in enumerate((lambda batch: batch["age"] > 20, "age > 20")):
        record(2 * step, old)
        print(watched(lambda: record(2 * step + 1, old)))
    server = Server(logdir, "slow")
    (run,) = server.wait_for_snapshots(4)["runs"]
    key = {"run": run["run"], "name": run["snapshots"][0]["name"], "step": 0}
    ask("age > 30")
    print(watched(lambda: ask("text LIKE 'number 1%' AND age < 40")))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tree", nargs="?", type=Path, default=Path(__file__).resolve().parents[1])
    tree: Path = parser.parse_args().tree.resolve()
    _print_room("Python", python_importers(tree / "activis_tb"))
    _print_room("TypeScript", typescript_importers(tree / "frontend" / "src"))
    batch, named, condition = crossings(tree)
    print(
        f"a recording of two batches crosses {batch} Python modules, its arguments and event file included; {named} "
        "where a subset is named by a condition"
    )
    print(f"a condition over a sample crosses {condition} Python modules from its requests to their answers")


def python_importers(package: Path) -> dict[Path, set[Path]]:
    """Returns by module which modules import it; packages' `__init__` are none."""
    files = {".".join(path.relative_to(package.parent).with_suffix("").parts): path for path in _files(package, "*.py")}
    importers: dict[Path, set[Path]] = {path: set() for path in files.values()}
    for path in files.values():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                for name in {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)} & files.keys():
                    importers[files[name]].add(path)
    return {path: found for path, found in importers.items() if path.name != "__init__.py"}


def typescript_importers(source: Path) -> dict[Path, set[Path]]:
    """Returns by module which modules import it."""
    files = _files(source, "*.ts") + _files(source, "*.tsx")
    by_stem = {path.with_suffix(""): path for path in files}
    importers: dict[Path, set[Path]] = {path: set() for path in files}
    for path in files:
        for target in _IMPORT.findall(path.read_text(encoding="utf-8")):
            imported = by_stem.get(Path(os.path.normpath(path.parent / target)))
            if imported:
                importers[imported].add(path)
    return importers


def crossings(tree: Path) -> tuple[int, ...]:
    """Returns how many modules are crossed by a recording, by one with a condition, and by a condition over a sample.

    They are counted when everything is imported and warm.
    """
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    done = subprocess.run(
        [sys.executable, "-c", _CROSSING], cwd=tree, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return tuple(map(int, done.stdout.split()[-3:]))


def _files(folder: Path, pattern: str) -> list[Path]:
    return sorted(path for path in folder.rglob(pattern) if path.name not in _GENERATED)


def _print_room(language: str, importers: Mapping[Path, set[Path]]) -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in importers}
    once = sum(len(found) == 1 for found in importers.values())
    rooms: dict[Path, int] = defaultdict(int)
    for path in importers:
        rooms[path.parent] += 1
    print(
        f"{language}: {len(lines)} modules in {len(rooms)} folders, {sum(lines.values()):,} lines, median "
        f"{median(lines.values()):.0f}, largest {max(lines.values())}; {once} have one importer"
    )


if __name__ == "__main__":
    main()
