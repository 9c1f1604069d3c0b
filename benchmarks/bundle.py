"""Size of the front end: the code that a browser loads before the first picture of the tab, and all of it."""

import gzip
import re
from pathlib import Path

from _report import Figure, report

import activis_tb

STATIC = Path(activis_tb.__file__).parent / "static"
ENTRY = "index.js"
IMPORTED = re.compile(r"""(?:from|import)\s*["'`]\./([\w.-]+)["'`]""")
AWAITED = re.compile(r"""await import\(["'`]\./([\w.-]+)["'`]\)""")


def main() -> None:
    report(figures())


def figures() -> list[Figure]:
    """Prints the files and returns the size of the modules that the first picture waits for, and of all files."""
    files = sorted(path for path in STATIC.rglob("*") if path.suffix in {".js", ".css"})
    if not files:
        message = f"{STATIC} holds no front end: run `make frontend` first."
        raise SystemExit(message)
    sizes = {path.name: len(gzip.compress(path.read_bytes(), 9)) / 1000 for path in files}
    awaited = AWAITED.findall((STATIC / ENTRY).read_text(encoding="utf-8"))
    first = set().union(*map(imported, [ENTRY, *awaited]))
    for path in files:
        size = f"{path.stat().st_size / 1000:8.1f} kB  {sizes[path.name]:8.1f} kB gzip"
        print(f"{path.relative_to(STATIC)!s:40} {size}{'  first' if path.name in first else ''}")
    return [
        Figure("code before the first picture, kB gzip", sum(sizes[name] for name in first), 120, "lower"),
        Figure("bundle, kB gzip", sum(sizes.values()), 320, "lower"),
    ]


def imported(name: str) -> set[str]:
    """Returns a module's name and those of all that it imports before it runs."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        found.add(module := waiting.pop())
        waiting += set(IMPORTED.findall((STATIC / module).read_text(encoding="utf-8"))) - found
    return found


if __name__ == "__main__":
    main()
