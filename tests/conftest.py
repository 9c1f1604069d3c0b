"""Markers by what a test needs."""

import re
from functools import cache
from pathlib import Path

import pytest

FRAMEWORK = re.compile(r"^\s*(?:import|from) (?:tensorflow|keras|torch|jax|activis_tb\.keras)\b", re.MULTILINE)
FRAMEWORK_FOLDERS = {"keras", "torch"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if needs_framework(item.path):
            item.add_marker("framework")


@cache
def needs_framework(module: Path) -> bool:
    return module.parent.name in FRAMEWORK_FOLDERS or bool(FRAMEWORK.search(module.read_text(encoding="utf-8")))
