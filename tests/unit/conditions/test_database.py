"""The last line of defence: even SQL of another's would reach nothing from the database of an engine."""

from pathlib import Path

import duckdb
import pytest

from activis_tb.conditions.duck import lock, open_database


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_text('secret.csv')",
        "SELECT * FROM read_csv('secret.csv')",
        "SELECT * FROM 'secret.csv'",
        "SELECT * FROM glob('*')",
        "COPY (SELECT 42) TO 'stolen.csv'",
        "ATTACH 'stolen.db' AS other",
        "EXPORT DATABASE 'stolen'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET GLOBAL enable_external_access = true",
        "SET threads = 64",
        "SET ieee_floating_point_ops = true",
        "RESET memory_limit",
    ],
)
def test_a_locked_database_reaches_nothing_from_any_cursor(
    statement: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret.csv").write_text("secret")
    monkeypatch.chdir(tmp_path)
    with open_database() as connection:
        lock(connection)
        cursor = connection.cursor()
        with pytest.raises((duckdb.PermissionException, duckdb.InvalidInputException), match=r"disabled|locked|Cannot"):
            cursor.execute(statement).fetchall()
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]
