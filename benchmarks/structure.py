"""Figures of the structure: modules, their lines and importers, and the modules that a recording and a condition cross.

`python benchmarks/structure.py [TREE]` measures this tree, or another one, such as a worktree of an earlier commit.
What a recording and a condition cross is what runs of TREE's own package and front end: its generated modules and its
`node_modules` have to be there.
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
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import _tensorboard
from _chromium import TIMEOUT, browser
from playwright.sync_api import Browser, Route, expect

_GENERATED = {"activis_pb2.py", "activis.ts", "language.ts"}
_PAINTED = "async () => { for (let left = 120; left > 0; left--) await new Promise(requestAnimationFrame); }"
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
_RECORDING = """
import sys
import numpy as np
import activis_tb

rows, scores = np.arange(60), np.eye(2)[np.arange(60) % 2]
with activis_tb.preprocess(sys.argv[1] + "/run", step=0, layers=["hidden"], classes=["a", "b"], quiet=True) as snapshot:
    columns = {"age": rows, "text": [f"number {row}" for row in rows]}
    snapshot.process(labels=rows % 2, scores=scores, activations={"hidden": scores}, attributes=columns)
"""
_MODULE_SERVER = """
import { createServer } from "vite";

const optimizeDeps = { noDiscovery: true, include: [] };
const server = await createServer({ logLevel: "error", optimizeDeps, server: { port: 0, hmr: false, ws: false } });
await server.listen();
console.log(server.httpServer.address().port);
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
    typed = typescript_crossed(tree)
    print(f"a condition crosses {len(typed)} TypeScript modules from its first character to its painted row:")
    print(" ".join(typed))


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


def typescript_crossed(tree: Path) -> list[str]:
    """Returns the modules of which anything runs in a real tab while a condition is typed and becomes a row.

    The tab's modules come one by one, not as chunks, and have run before: what is counted is the second condition.
    """
    frontend, environment = tree / "frontend", {**os.environ, "PYTHONPATH": str(tree)}
    with TemporaryDirectory() as logdir, browser() as chromium:
        subprocess.run([sys.executable, "-c", _RECORDING, logdir], cwd=tree, env=environment, check=True)
        command = ["node", "--input-type=module", "--eval", _MODULE_SERVER]
        modules = subprocess.Popen(command, cwd=frontend, stdout=subprocess.PIPE, text=True)
        os.environ["PYTHONPATH"] = str(tree)
        try:
            with _tensorboard.start(Path(logdir)) as server:
                port = int(modules.stdout.readline())
                (main,) = (frontend / "src").glob("main.ts*")
                return _crossed_in(chromium, server.url, f"http://localhost:{port}", main.name)
        finally:
            modules.terminate()
            modules.wait()


def _crossed_in(chromium: Browser, url: str, modules: str, main: str) -> list[str]:
    def serve_module(route: Route) -> None:
        address = urlsplit(route.request.url)
        route.fulfill(response=route.fetch(url=f"{modules}{address.path}?{address.query}"))

    def serve_main(route: Route) -> None:
        route.fulfill(response=route.fetch(url=f"{modules}/src/{main}"))

    context = chromium.new_context(viewport={"width": 1600, "height": 1000}, reduced_motion="reduce", bypass_csp=True)
    page = context.new_page()
    page.set_default_timeout(TIMEOUT)
    page.route(re.compile(r"^[^?]*/(src|node_modules|@[a-z]+)/"), serve_module)
    page.route("**/activis/index.js*", serve_main)
    page.goto(f"{url}/#activis&p.activis.layers=hidden&p.activis.projection=pca")
    tab = page.frame_locator('iframe[src*="name=activis"]')
    rows, field = tab.get_by_test_id("row-label"), tab.get_by_test_id("subset-input")
    profiler = context.new_cdp_session(page)
    profiler.send("Profiler.enable")
    profiler.send("Profiler.startPreciseCoverage", {"callCount": True, "detailed": False})
    for number, condition in enumerate(("age > 30", "text LIKE 'number 1%' AND age < 40")):
        expect(rows).to_have_count(2 + number, timeout=TIMEOUT)
        page.evaluate(_PAINTED)
        profiler.send("Profiler.takePreciseCoverage")
        field.press_sequentially(condition, delay=100)
        field.press("Enter")
        expect(rows).to_have_count(3 + number, timeout=TIMEOUT)
        page.evaluate(_PAINTED)
    scripts = profiler.send("Profiler.takePreciseCoverage")["result"]
    ran = (script["url"] for script in scripts if any(one["ranges"][0]["count"] for one in script["functions"]))
    return sorted({path.removeprefix("/src/") for path in map(_path, ran) if path.startswith("/src/")})


def _path(url: str) -> str:
    return urlsplit(url).path


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
