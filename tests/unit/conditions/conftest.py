from collections.abc import Iterator

import pytest

from activis_tb.conditions import Engine
from tests.unit.conditions.people import SCHEMA, computed, people


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    with Engine(SCHEMA, people(), computed) as engine:
        yield engine
