"""The version stands in three places, and is the same in all of them."""

import json
import tomllib
from pathlib import Path

import activis_tb

ROOT = Path(__file__).resolve().parents[2]


def test_the_three_version_numbers_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    package = json.loads((ROOT / "frontend" / "package.json").read_text(encoding="utf-8"))["version"]
    assert {activis_tb.__version__, project, package} == {project}
