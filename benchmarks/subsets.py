"""A subset that was just thought of, over every stored instance: condition, count and the averages of 128 neurons.

The instances are recorded by `preprocess(keep="all")` and asked for over HTTP from a running TensorBoard, warm; a
condition never comes twice. One request answers the count and the averages; a new row of the tab takes a second one at
the same time, about the members. In the same run DuckDB counts and averages the same 128 columns from Parquet (float32,
uncompressed), `pandas.DataFrame.query` a frame in memory, and the bytes of as many rows are read once.
"""

import argparse
import io
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from urllib.error import HTTPError

import _tensorboard
import duckdb
import numpy as np
from _report import Figure, report
from _stored import AREAS, NEURONS, WORDS, recorded, request, stored_codes, wait

SHARES = {"0.1 %": 0.001, "10 %": 0.1, "50 %": 0.5}
LAYER = {"layer": "hidden", "statistic": "mean"}


class Question(NamedTuple):
    """A kind of condition at one selectivity, as ours, SQL and pandas' expression of a round."""

    name: str
    condition: Callable[[int], str]
    sql: Callable[[int], str]
    pandas: Callable[[int], str]


def questions() -> Iterator[Question]:
    for label, share in SHARES.items():

        def low(round_: int) -> float:
            return 0.01 * (round_ % 50)

        def number(round_: int, share: float = share) -> str:
            return f"number BETWEEN {low(round_):.4f} AND {low(round_) + share:.4f}"

        def between(round_: int, share: float = share) -> str:
            return f"{low(round_):.4f} <= number <= {low(round_) + share:.4f}"

        yield Question(f"number, {label}", number, number, between)

    def areas(round_: int) -> str:
        return ", ".join(f"'area {(round_ + step) % AREAS}'" for step in range(AREAS // 2))

    def topic(k: int) -> str:
        return f"topic = 'topic {k % WORDS}'"

    def area(k: int) -> str:
        return f"area = 'area {k % AREAS}'"

    def half(k: int) -> str:
        return f"area IN ({areas(k)})"

    yield Question("category, 0.1 %", topic, topic, lambda k: topic(k).replace("=", "=="))
    yield Question("category, 10 %", area, area, lambda k: area(k).replace("=", "=="))
    yield Question("category, 50 %", half, half, lambda k: f"area in [{areas(k)}]")
    for column, kind in (("text", "text"), ("title", "text without repeats")):
        yield from searches(column, kind)


def searches(column: str, kind: str) -> Iterator[Question]:
    """Patterns in a text."""

    def like(k: int) -> str:
        return f"{column} LIKE '% w{k % WORDS} %'"

    def ilike(k: int) -> str:
        return f"{column} ILIKE '%AREA {k % AREAS}?'"

    pattern = "area [0-4][?]$"
    yield Question(f"{kind} LIKE, 0.1 %", like, like, lambda k: f"{column}.str.contains(' w{k % WORDS} ', regex=False)")
    yield Question(
        f"{kind} ILIKE, 10 %", ilike, ilike, lambda k: f"{column}.str.lower().str.endswith('area {k % AREAS}?')"
    )
    yield Question(
        f"{kind} ~, 50 %",
        lambda _: f"{column} ~ '{pattern}'",
        lambda _: f"regexp_matches({column}, '{pattern}')",
        lambda _: f"{column}.str.contains('{pattern}')",
    )


class Stopped(Exception):  # noqa: N818 - that a condition is too costly is an answer
    """The plugin stopped a condition that took too long."""


class Answer(NamedTuple):
    milliseconds: float
    count: float
    means: np.ndarray


def timed(work: Callable[[], tuple[float, np.ndarray]]) -> Answer:
    begun = time.perf_counter()
    count, means = work()
    return Answer(1000 * (time.perf_counter() - begun), count, means)


def ask(url: str, condition: str) -> tuple[float, np.ndarray]:
    """Returns the count and the means, by one request."""
    try:
        body, headers = request(url, "subset_statistics", condition=condition, **LAYER)
    except HTTPError as error:
        raise Stopped from error
    return float(headers["Activis-Count"]), np.load(io.BytesIO(body), allow_pickle=False)[0]


class Row:
    """Asks as the tab does for a new row: for its members and for its averages at the same time."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool = ThreadPoolExecutor(1)

    def ask(self, condition: str) -> tuple[float, np.ndarray]:
        members = self._pool.submit(request, self._url, "subset", condition=condition)
        answer = ask(self._url, condition)
        members.result()
        return answer


class DuckDB:
    """Averages the 128 columns from Parquet."""

    def __init__(self, table: Path) -> None:
        self._connection = duckdb.connect()
        averages = ", ".join(f"avg(n{neuron})" for neuron in range(NEURONS))
        self._select = f"SELECT count(*), {averages} FROM read_parquet('{table}/*.parquet') WHERE "

    def ask(self, condition: str) -> tuple[float, np.ndarray]:
        count, *means = self._connection.execute(self._select + condition).fetchone()
        return count, np.array(means)


class Pandas:
    """Averages the same columns of a frame in memory."""

    def __init__(self, table: Path) -> None:
        self._frame = duckdb.connect().execute(f"SELECT * FROM read_parquet('{table}/*.parquet')").df()
        self._neurons = [f"n{neuron}" for neuron in range(NEURONS)]

    def ask(self, expression: str) -> tuple[float, np.ndarray]:
        found = self._frame.query(expression, engine="python")[self._neurons]
        return len(found), found.mean().to_numpy()


def read_once(codes: list[np.ndarray], instances: int, count: float) -> float:
    """Milliseconds in which the bytes of `count` random rows are read, a cacheful at a time."""
    selected = np.random.default_rng(0).random(instances) < count / instances
    rows = np.split(selected, np.cumsum([len(part) for part in codes])[:-1])
    inside = [np.flatnonzero(part) for part in rows]
    begun = time.perf_counter()
    for part, wanted in zip(codes, inside, strict=True):
        for begin in range(0, len(wanted), 4096):
            part.take(wanted[begin : begin + 4096], axis=0)
    return 1000 * (time.perf_counter() - begun)


def measure(question: Question, url: str, others: dict[str, object], codes, options, budget: float) -> list[Figure]:
    ours: list[float] = []
    rows: list[float] = []
    theirs: dict[str, list[float]] = {name: [] for name in others}
    once: list[float] = []
    stopped = 0
    row = Row(url)
    for round_ in range(options.rounds):
        # Answers are remembered by text; one more space makes it another one.
        condition = question.condition(round_) + " " * (2 * round_ + 1)
        try:
            answer = timed(lambda condition=condition: ask(url, condition))
            ours.append(answer.milliseconds)
            rows.append(timed(lambda condition=condition: row.ask(condition + " ")).milliseconds)
        except Stopped:
            stopped += 1
            continue
        if round_ >= options.others:
            continue
        once.append(read_once(codes, options.instances, answer.count))
        for name, other in others.items():
            text = question.pandas(round_) if name == "pandas.query" else question.sql(round_)
            found = timed(lambda other=other, text=text: other.ask(text))
            assert found.count == answer.count, (question.name, name, found.count, answer.count)
            assert np.abs(found.means - answer.means).max() < 0.02, (question.name, name)
            theirs[name].append(found.milliseconds)
    refused = [Figure(f"{question.name}: stopped after 2 s", stopped, 0, "lower")] if stopped else []
    if not once:
        return refused
    p50 = float(np.median(ours))
    return [
        *refused,
        Figure.of(f"{question.name}: count and averages, ms", ours, None),
        Figure(f"{question.name}: p95, ms", float(np.quantile(ours, 0.95)), budget, "lower"),
        Figure.of(f"{question.name}: with the members, as a new row, ms", rows, None),
        *(Figure.of(f"{question.name}: {name}, ms", samples, None) for name, samples in theirs.items()),
        *(
            Figure(f"{question.name}: {name} / ours", float(np.median(samples)) / p50, budget_of(name), "higher")
            for name, samples in theirs.items()
        ),
        Figure(f"{question.name}: ours / reading the bytes once", p50 / float(np.median(once)), None, "lower"),
    ]


def budget_of(name: str) -> float | None:
    return 10 if name == "DuckDB over Parquet" else None


def memory(process) -> list[Figure]:
    """The memory of TensorBoard: its own, with the activations that it keeps, and that of libraries."""
    used = process.memory_info()
    return [
        Figure("TensorBoard's own memory, MB", (used.rss - used.shared) / 1e6, None, "lower"),
        Figure("TensorBoard's shared memory, MB", used.shared / 1e6, None, "lower"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--others", type=int, default=5, help="rounds of what is compared with")
    parser.add_argument("--pandas", action=argparse.BooleanOptionalAction, default=True, help="a frame in memory too")
    parser.add_argument("--folder", type=Path, help="keeps the recording, or has it already")
    options = parser.parse_args()
    budget = 300.0 if options.instances <= 1_000_000 else 1000.0
    with recorded(options.instances, options.folder) as (logdir, table):
        stored = sum(path.stat().st_size for path in logdir.rglob("*") if path.is_file()) / 1e6
        with _tensorboard.start(logdir) as server:
            wait(server.url)
            first = timed(lambda: ask(server.url, "number < 0.5")).milliseconds
            others: dict[str, object] = {"DuckDB over Parquet": DuckDB(table)}
            others |= {"pandas.query": Pandas(table)} if options.pandas else {}
            codes = stored_codes(logdir)
            figures = [
                figure
                for question in questions()
                for figure in measure(question, server.url, others, codes, options, budget)
            ]
            figures += memory(server.process)
    report(
        [
            *figures,
            Figure("files of the recording, MB", stored, None, "lower"),
            Figure("first subset of all, ms", first, None, "lower"),
        ]
    )


if __name__ == "__main__":
    main()
