"""Size of the front end: what a browser loads to show the tab."""

import gzip
from pathlib import Path

from _report import Figure, report

import activis_tb

STATIC = Path(activis_tb.__file__).parent / "static"


def main() -> None:
    report([figure()])


def figure() -> Figure:
    """Prints the files and returns the size of all of them."""
    files = sorted(path for path in STATIC.rglob("*") if path.suffix in {".js", ".css"})
    if not files:
        message = f"{STATIC} holds no front end: run `make frontend` first."
        raise SystemExit(message)
    sizes = {path: len(gzip.compress(path.read_bytes(), 9)) / 1000 for path in files}
    for path, size in sizes.items():
        print(f"{path.relative_to(STATIC)!s:40} {path.stat().st_size / 1000:8.1f} kB  {size:8.1f} kB gzip")
    return Figure("bundle, kB gzip", sum(sizes.values()), 150, "lower")


if __name__ == "__main__":
    main()
