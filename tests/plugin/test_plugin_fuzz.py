"""Whatever bytes are in the log directory and whatever is asked: an answer or a sentence, and healthy runs as ever.

`python benchmarks/fuzz.py` does the same with many more, against TensorBoard itself.
"""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.fuzzing.events import Event, mutate, read_event, record_healthy
from tests.fuzzing.queries import HEALTHY, hostile_query, questions, store_questions
from tests.fuzzing.side_files import mutate_store
from tests.fuzzing.tally import Tally, fetch_from, path_of
from tests.plugin.server import LOADERS, Server

EVENTS = {"slow": range(120), "fast": range(1_000, 1_040)}
QUERIES = range(400)
STORES = range(24)


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Event]:
    logdir = tmp_path_factory.mktemp("fuzz")
    record_healthy(logdir, "healthy")
    return logdir, read_event(logdir / HEALTHY)


def runs_of(listing: dict[str, Any]) -> set[str]:
    return {run["run"] for run in listing["runs"]}


@pytest.mark.slow
@pytest.mark.parametrize("loader", LOADERS)
def test_mutated_snapshots_are_served_or_refused_and_a_healthy_one_is_answered_as_before(loader, healthy, tmp_path):
    healthy_logdir, event = healthy
    logdir = shutil.copytree(healthy_logdir, tmp_path / "logs")
    titles = {}
    for seed in EVENTS[loader]:
        what, mutated = mutate(event, seed)
        run = f"mutated-{seed:05}/activis"
        titles[run] = f"seed {seed}: {what}"
        mutated.write(logdir / run)
    server = Server(logdir, loader)
    server.wait(lambda listing: listing["total_runs"] == len(titles) + 1 and HEALTHY in runs_of(listing))
    fetch, tally = fetch_from(server.client), Tally()
    asked = [
        query for query in questions(HEALTHY, 3) if query[0] not in {"separation", "matching", "similarity", "neuron"}
    ]
    before = [fetch(path_of(query)) for query in asked]
    assert {status for status, _ in before} <= {200, 400, 404}
    for number, (run, title) in enumerate(titles.items()):
        tally.ask_all(fetch, questions(run, number), title)
    tally.ask(fetch, ("runs", []), "all")
    assert tally.failures == []
    assert [fetch(path_of(query)) for query in asked] == before
    server.close()
    answered = {status for (route, status), _ in tally.counts.items() if route == "instances"}
    assert answered >= {200, 422}


@pytest.mark.slow
def test_mutated_side_files_are_told_and_the_sample_stands_in(tmp_path):
    logdir = tmp_path / "logs"
    record_healthy(logdir, "healthy", keep="all", rows=200)
    event, titles = read_event(logdir / HEALTHY), {}
    for seed in STORES:
        run = f"mutated-{seed:05}/activis"
        shutil.copytree(logdir / HEALTHY, logdir / run)
        titles[run] = f"seed {seed}: {mutate_store(logdir / run, event, seed)}"
    fetch, tally = fetch_from(Server(logdir, "slow").client), Tally()
    notes = Counter()
    for number, (run, title) in enumerate(titles.items()):
        for query in store_questions(run, number):
            status, body = tally.ask(fetch, query, title)
            if query[0] == "subset" and status == 200:
                notes[bool(json.loads(body)["note"])] += 1
    assert tally.failures == []
    assert notes[True] > 5
    assert notes[False] > 5


def test_hostile_requests_are_answered_or_refused(serve_slow, healthy):
    fetch, tally = fetch_from(serve_slow(healthy[0]).client), Tally()
    for seed in QUERIES:
        tally.ask(fetch, hostile_query(seed), f"seed {seed}")
    assert tally.failures == []
    assert {status for _, status in tally.counts} >= {200, 400, 404}
