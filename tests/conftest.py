"""Markers by what a test needs, and which tests are run one after the other, in which order."""

import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

FRAMEWORK = re.compile(
    r"^\s*(?:import|from) (?:tensorflow|keras|torch|jax|activis_tb\.keras|dense_network|digit_cnn|word_cnn)\b",
    re.MULTILINE,
)
FRAMEWORK_FOLDERS = {"keras", "torch"}
SHARED_RUNS = re.compile(r"^tests/end_to_end/.+\[(trec|grammar)\b")
"""Tests of which the first parameter is a recording that the tests of several files share, and its TensorBoard."""
LONGEST = (
    "trec",
    "grammar",
    "tests/end_to_end/test_packaging.py",
    "tests/end_to_end/test_instances.py",
    "tests/unit/keras/test_back_ends.py",
    "tests/end_to_end/test_compare.py",
)
"""What takes minutes is begun first, so that no process is left with it in the end."""


class Scheduling(LoadFileScheduling):
    """Runs in one process, one after the other, the tests of a file, and those of a recording that files share."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)


def unit_of(nodeid: str) -> str:
    """Returns the name of what a test is run together with: a recording or a file."""
    shared = SHARED_RUNS.match(nodeid)
    return shared[1] if shared else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling | None:
    return Scheduling(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if needs_framework(item.path):
            item.add_marker("framework")
    items.sort(key=begun)


def begun(item: pytest.Item) -> int:
    """Returns in which order units are begun, the longest first; the others stay as they are."""
    unit = unit_of(item.nodeid)
    return LONGEST.index(unit) if unit in LONGEST else len(LONGEST)


def pytest_configure(config: pytest.Config) -> None:
    if without_frameworks(config):
        # TensorBoard's sign that TensorFlow is not installed.
        sys.modules["tensorboard.compat.notf"] = sys


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What `-m "not framework"` leaves out is not imported either: the frameworks take half a minute."""
    left_out = without_frameworks(config) and collection_path.suffix == ".py" and needs_framework(collection_path)
    return left_out or None


def without_frameworks(config: pytest.Config) -> bool:
    return "not framework" in config.getoption("markexpr").split(" and ")


@cache
def needs_framework(module: Path) -> bool:
    return module.parent.name in FRAMEWORK_FOLDERS or bool(FRAMEWORK.search(module.read_text(encoding="utf-8")))
