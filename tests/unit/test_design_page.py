"""The design page names what is in the tree, and its drawings are what their script draws."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

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
