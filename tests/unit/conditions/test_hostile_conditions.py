"""Whoever can reach the tab can type anything: each of these is refused with a sentence, or answered within bounds."""

from pathlib import Path

import numpy as np
import psutil
import pytest

from activis_tb.conditions import (
    ConditionError,
    CostlyConditionError,
    Engine,
    Instances,
    Schema,
    parse_condition,
)
from activis_tb.model import Attribute
from tests.unit.conditions.people import SCHEMA, rows
from tests.unit.conditions.test_random_conditions import assert_only_ours

REFUSED = [
    # reading and writing files
    "read_csv('secret.csv') IS NOT NULL",
    "age > (SELECT count(*) FROM read_csv('secret.csv'))",
    "text = read_text('secret.csv')",
    "text IN (SELECT content FROM read_text('secret.csv'))",
    "text = (SELECT content FROM 'secret.csv')",
    "EXISTS (SELECT * FROM glob('*'))",
    "getenv('HOME') = 'x'",
    "COPY instances TO 'stolen.csv'",
    "correct; COPY s0.instances TO 'stolen.csv'",
    "correct; COPY (SELECT 42) TO 'stolen.parquet' (FORMAT parquet)",
    "EXPORT DATABASE 'stolen'",
    "IMPORT DATABASE 'stolen'",
    "ATTACH 'stolen.db' AS other",
    "ATTACH 'secret.csv' (READ_ONLY)",
    "DETACH memory",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD 'secret.csv'",
    "CREATE SECRET (TYPE s3)",
    "sniff_csv('secret.csv') = ''",
    # other statements
    "DROP TABLE instances",
    "DROP SCHEMA s0 CASCADE",
    "correct; DROP TABLE instances; --",
    "correct; SELECT 1",
    ";",
    ";;;;",
    "DELETE FROM instances",
    "UPDATE instances SET age = 0",
    "INSERT INTO instances VALUES (1)",
    "CREATE TABLE x AS SELECT 1",
    "CREATE MACRO age() AS 1",
    "ALTER TABLE instances DROP COLUMN c0",
    "PRAGMA database_list",
    "SET enable_external_access = true",
    "SET memory_limit = '1TB'",
    "RESET threads",
    "CALL pragma_version()",
    "EXPLAIN ANALYZE SELECT 1",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "CHECKPOINT",
    "VACUUM",
    "USE memory",
    "BEGIN TRANSACTION",
    "SHOW TABLES",
    "DESCRIBE instances",
    "SUMMARIZE instances",
    "VALUES (1)",
    "FROM instances",
    "WITH x AS (SELECT 1) SELECT * FROM x",
    # getting out of the expression
    "correct) OR (correct",
    "correct) FROM s0.instances --",
    "correct UNION SELECT TRUE",
    "correct UNION ALL SELECT TRUE FROM duckdb_settings()",
    "correct ORDER BY age",
    "correct LIMIT 1",
    "correct GROUP BY 1",
    "correct HAVING TRUE",
    "correct WINDOW w AS ()",
    "correct AS member",
    "correct, correct",
    "(correct, correct)",
    "correct -- comment",
    "correct /* comment */",
    "correct /* unclosed",
    "correct # comment",
    "/*+ hint */ correct",
    "{{ 7 * 7 }}",
    "{% raw %} correct",
    "{# jinja #} correct",
    "text = 'it's'",
    "' OR '1'='1",
    '" OR ""="',
    "text = $$secret$$",
    "text = E'\\x41'",
    "text = N'a'",
    "text = x'41'",
    "text = b'1'",
    "text = U&'\\0041'",
    "text = `x`",
    "text = [text]",
    "age = ?",
    "age = ?1",
    "age = $1",
    "age = :age",
    "age = @age",
    "age = {age}",
    "age = {'a': 1}",
    "age = [1, 2][1]",
    "c0 = 'a'",
    "s0.instances.c0 = 'a'",
    "instances.age = 1",
    "member",
    "rowid = 0",
    # expressions outside of the whitelist
    "repeat('x', 1000000000) = text",
    "md5(repeat(text, 100000)) = 'x'",
    "query('SELECT 1') = 1",
    "range(1000000000) IS NOT NULL",
    "sleep_ms(100000) IS NULL",
    "current_setting('threads') = '1'",
    "version() = 'x'",
    "nextval('x') = 1",
    "random() < 0.5",
    "now() > age",
    "current_user = 'x'",
    "count(*) > 1",
    "sum(age) OVER () > 1",
    "abs(age) > 1",
    "lower(text) = 'x'",
    "regexp_matches(text, 'a')",
    "score_of(score_of('dog')) > 1",
    "neuron('hidden', (SELECT 1)) > 0",
    "neuron('hidden', 0, 1) > 0",
    "neuron('hidden', 99999999999999999999) > 0",
    "CASE WHEN correct THEN TRUE END",
    "CAST(age AS VARCHAR) = '1'",
    "TRY_CAST(text AS INT) = 1",
    "age::VARCHAR = '1'",
    "date '2020-01-01' = text",
    "INTERVAL 1 DAY = text",
    "text COLLATE nocase = 'a'",
    "text LIKE 'a' ESCAPE ''",
    "text LIKE 'a' ESCAPE 'ab'",
    "text LIKE 'a' ESCAPE NULL",
    "text LIKE 'a' ESCAPE (SELECT 'a')",
    "text LIKE 'a' ESCAPE",
    "text LIKE 'a!' ESCAPE '!'",
    "text LIKE 'a' ESCAPE '!' ESCAPE '!'",
    "text ~ 'a' ESCAPE '!'",
    "text = 'a' ESCAPE '!'",
    "text LIKE topic ESCAPE '!'",
    "text ESCAPE '!'",
    "text = \u2018; DROP TABLE instances; --\u2019",
    "\u2018" * 2000,
    "\u2018a" * 1300,
    "\u201c" * 2000 + "a" * 2000,
    "\u2264" * 4096,
    "\u200b" * 4096,
    "\uff10" * 4096,
    "&lt;" * 1000,
    "text SIMILAR TO 'a'",
    "text GLOB '*'",
    "text ~~ 'a'",
    "text ~* 'a'",
    "text LIKE ANY ('a', 'b')",
    "age = ALL (SELECT 1)",
    "age IN (SELECT 1)",
    "age IN select",
    "age = ANY ([1])",
    "EXISTS (SELECT 1)",
    "age IS DISTINCT FROM 1",
    "age IS NOT 1",
    "age <=> 1",
    "age || 'x' = 'x'",
    "age ^ 2 = 1",
    "age ** 2 = 1",
    "age // 2 = 1",
    "age & 1 = 1",
    "age << 1 = 1",
    "~age = 1",
    "age -> 'x'",
    "x -> x + 1",
    "lambda x: x",
    "age := 1",
    "*",
    "COLUMNS(*) > 1",
    "age.* = 1",
    "age > 0xFF",
    "age > 1_000",
    "age > 1e400",
    "age > NaN",
    "age > 1 ? 1 : 0",
    "\x00",
    "age > 1\x00",
    "\u202eage > 1",
    "\ud800",
    "🙂",
    # size and depth
    "(" * 4096,
    ")" * 4096,
    "(" * 2000 + "correct" + ")" * 2000,
    "((((" * 500 + "age" + "))))" * 500 + " > 1",
    "NOT " * 1000 + "correct",
    "- " * 2000 + "1 > 0",
    "+".join(["age"] * 1000) + " > 0",
    "age" + " * age" * 600 + " > 0",
    "correct" + " IS NULL" * 500,
    "correct" + " = correct" * 400,
    "CASE " * 800,
    "score_of(" * 450,
    "age IN (" + "1," * 2000 + "1)",
    "age IN (" * 500,
    "'" * 4095,
    '"' * 4095,
    "a" * 4096,
    "a" * 10_000_000,
    " " * 4096,
    "/*" * 2048,
    "{#" * 2048,
    "$" * 4096,
    "." * 4096,
    "%" * 4096,
    ",".join(["age"] * 1000),
    "text LIKE '" + "%a" * 1000 + "'",
    "text ~ '" + "(" * 200 + "'",
    "text ~ '(a{1000}){1000}'",
    "text ~ '\\pL{1000}\\pL{1000}'",
    "text ~ '(?<=a)b'",
    " OR ".join(f"text ~ 'a(a|b){{{number}}}c'" for number in range(150)),
    "text ~ '(a)\\1'",
    "text ~ '\\C*'" + " AND" * 900,
]

COSTLY = [
    "letters ~ 'a(a|b){200}b{26}'",
    "letters ~ '(a|b)*a(a|b){500}b{26}'",
    "letters ~ 'a(a|b){900}b{26}' AND NOT letters ~ 'b(a|b){900}a{26}'",
    "letters !~ 'a.{300}b{26}.{300}b{26}'",
]
"""Patterns that RE2 cannot turn into a small automaton: left alone, each would search these texts for minutes."""

HOLD_NOWHERE = [
    *(
        f"letters ~ '{pattern}'"
        for pattern in ("(a*)*c", "(a|a)*c", "(a|aa)+c", "(.*a){20}c", "(x+x+)+y", "(a?){200}c")
    ),
    "letters LIKE '" + "%a_b" * 60 + "%c'",
    "letters ILIKE '" + "%_A" * 80 + "%c'",
    "letters LIKE '%" + "a_" * 120 + "c%'",
    "letters IN (" + ",".join(f"'{number}'" for number in range(500)) + ")",
    " OR ".join(f"index={number}" for number in range(9_000, 9_250)),
    " OR ".join(["letters LIKE '%c%'"] * 170),
    "1e308 * 1e308 * index > 0 OR index / 0 > 1 OR index % 0 = 0",
]
HOLD_EVERYWHERE = ["letters NOT LIKE '%" + "a" * 200 + "%'", " AND ".join(["letters<'c'"] * 250)]
"""Costly elsewhere: what backtracks, what grows, what is long."""


LETTERS = Schema(("only",), (("letters", "text"),))


@pytest.fixture(scope="module")
def long_texts() -> Instances:
    """3,000 instances with texts of 10,000 letters."""
    random = np.random.default_rng(0).integers(ord("a"), ord("c"), (3000, 10_000), np.uint8)
    letters = np.array([row.tobytes().decode() for row in random], np.object_)
    classes = np.zeros(3000, np.int32)
    attribute = Attribute("letters", "text", letters, np.ones(3000, np.bool_))
    return Instances(
        np.arange(3000).astype(str).astype(object), np.arange(3000), classes, classes, np.ones(3000), (attribute,)
    )


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: ascii(text[:40]))
def test_a_hostile_condition_is_refused_with_a_sentence_and_a_place(text: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse_condition(text, SCHEMA)
    start, end = caught.value.position
    assert 0 <= start <= end <= len(text)
    assert caught.value.message.endswith((".", ")."))
    assert len(caught.value.message) < 600


@pytest.mark.parametrize("text", COSTLY)
def test_a_costly_pattern_is_stopped_and_the_engine_goes_on(long_texts: Instances, text: str) -> None:
    condition = parse_condition(text, LETTERS)
    with Engine(LETTERS, long_texts, most_seconds=0.5) as engine:
        with pytest.raises(CostlyConditionError, match=r"took longer than 0\.5 s over 3,000 instances and was stopped"):
            engine.members(condition)
        assert rows(engine, "index < 2", LETTERS) == [0, 1]


def test_bounded_conditions_are_answered_without_growing(long_texts: Instances) -> None:
    with Engine(LETTERS, long_texts, most_seconds=60) as engine:
        before = psutil.Process().memory_info().rss
        for text in HOLD_NOWHERE:
            assert rows(engine, text, LETTERS) == []
        for text in HOLD_EVERYWHERE:
            assert rows(engine, text, LETTERS) == list(range(3000))
        assert psutil.Process().memory_info().rss - before < 200 * 2**20


def test_names_and_texts_never_become_sql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret.csv").write_text("secret\n42\n")
    monkeypatch.chdir(tmp_path)
    hostile = [
        "'; COPY t TO 'x.csv'; --",
        'a" FROM t; --',
        "SELECT",
        "read_csv('secret.csv')",
        "?",
        "c0",
        "\\'",
        "{{x}}",
        "--",
    ]
    attributes = tuple(Attribute(name, "number", np.arange(2.0), np.ones(2, np.bool_)) for name in hostile)
    schema = Schema(tuple(hostile), tuple((name, "number") for name in hostile))
    zeros = np.zeros(2, np.int32)
    instances = Instances(np.array(["a", hostile[0]], np.object_), np.arange(2), zeros, zeros, np.ones(2), attributes)
    with Engine(schema, instances) as engine:
        for name in hostile:
            quoted, text = '"' + name.replace('"', '""') + '"', "'" + name.replace("'", "''") + "'"
            assert rows(engine, f"{quoted} = 1", schema) == [1]
            assert rows(engine, f"id = {text}", schema) == [1] * (name == hostile[0])
            assert rows(engine, f"label = {text} OR id LIKE {text}", schema) == ([0, 1] if name == hostile[0] else [])
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]


@pytest.mark.parametrize(
    "text", ["text = 'read_csv(1)' OR \"select\" > 1", "id IN ('; DROP TABLE x', '--')", "text ~ 'c0 \\?'"]
)
def test_only_our_own_words_are_in_the_query(text: str) -> None:
    assert_only_ours(text)
