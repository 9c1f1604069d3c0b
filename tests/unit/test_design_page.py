"""The pages name what is in the tree, the drawings are what their script draws, and the recording is small."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
FOLDERS = ("activis_tb", "frontend", "tests", "docs", "proto", "benchmarks")


@pytest.fixture(scope="module")
def draw() -> ModuleType:
    specification = importlib.util.spec_from_file_location("draw", DOCS / "drawings" / "draw.py")
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_files_that_a_page_names_exist(page: str) -> None:
    named = re.findall(rf"`((?:{'|'.join(FOLDERS)})/[\w./-]*)`", (DOCS / page).read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []
    assert page != "design.md" or len(named) > 40


def test_modules_in_the_drawings_exist(draw: ModuleType) -> None:
    endings = ("", ".py", ".ts", ".tsx")
    missing = [name for name in draw.modules() if not any((ROOT / f"{name}{ending}").exists() for ending in endings)]
    assert missing == []


def test_the_drawings_are_what_the_script_draws(draw: ModuleType) -> None:
    for name, content in draw.drawings().items():
        assert (DOCS / "drawings" / name).read_text(encoding="utf-8") == content, f"run docs/drawings/draw.py: {name}"


def test_the_start_page_and_the_readme_show_the_first_seconds() -> None:
    path = DOCS / "first_seconds.webp"
    assert path.stat().st_size <= 3_000_000
    with Image.open(path) as picture:
        frames = picture.n_frames
        assert frames > 20
        seconds = 0.0
        for number in range(frames):
            picture.seek(number)
            picture.load()
            seconds += picture.info["duration"] / 1000
        assert 15 <= seconds <= 25
        assert picture.width >= 1200
    assert "](first_seconds.webp)" in (DOCS / "index.md").read_text(encoding="utf-8")
    assert "](docs/first_seconds.webp)" in (ROOT / "README.md").read_text(encoding="utf-8")
