"""Mutated events, side files and requests against TensorBoard itself, by both loaders, with a fixed seed.

`python benchmarks/fuzz.py` asks what must be: no answer of 500 and above but 503, a healthy run answered as before. It
prints how many answers of which status there were, the largest memory and the slowest answers, and ends with 1 where
one was none.
"""

import argparse
import http.client
import os
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import _tensorboard
from tests.fuzzing.events import mutate, read_event, record_healthy
from tests.fuzzing.queries import HEALTHY, Query, hostile_query, questions, store_questions
from tests.fuzzing.side_files import mutate_store
from tests.fuzzing.tally import Fetch, Tally, path_of

LOADERS = {"fast": "--load_fast=true", "slow": "--load_fast=false"}
_THREADS = 2
_LOADING_SECONDS = 300
_SAMPLE_SECONDS = 0.02
_LONGEST_LINK = 65_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_500, help="mutated snapshots, per loader")
    parser.add_argument("--stores", type=int, default=300, help="mutated sets of side files, in all")
    parser.add_argument("--requests", type=int, default=5_000, help="hostile requests, in all")
    parser.add_argument("--loader", choices=[*LOADERS, "both"], default="both")
    arguments = parser.parse_args()
    loaders = list(LOADERS) if arguments.loader == "both" else [arguments.loader]
    failed = False
    for loader in loaders:
        share = len(loaders)
        failed |= run("events", loader, arguments.events, _write_events, questions)
        failed |= run("side files", loader, -(-arguments.stores // share), _write_stores, store_questions)
        failed |= run("requests", loader, -(-arguments.requests // share), None, None)
    sys.exit(1 if failed else 0)


def run(
    what: str,
    loader: str,
    count: int,
    write: Callable[[Path, int], dict[str, str]] | None,
    ask: Callable[[str, int], Iterator[Query]] | None,
) -> bool:
    """Fuzzes one TensorBoard and prints the figures; returns whether any answer was none."""
    folder = Path(tempfile.mkdtemp(prefix="activis-fuzz-"))
    os.environ["ACTIVIS_CACHE"] = str(folder / "cache")
    try:
        logdir = folder / "logs"
        record_healthy(logdir, "healthy", keep="all" if write is _write_stores else "sample")
        titles = write(logdir, count) if write else {}
        with _tensorboard.start(logdir, LOADERS[loader]) as server, _memory(server.process) as largest:
            fetch = fetch_over(server.url)
            _wait_for(fetch, len(titles) + 1)
            before = _healthy_answers(fetch)
            base = dict(largest)
            if ask is None:
                asked = [(hostile_query(seed), f"seed {seed}") for seed in range(count)]
            else:
                asked = [(query, title) for at, (run, title) in enumerate(titles.items()) for query in ask(run, at)]
            tally = ask_all(server.url, asked)
            changed = _healthy_answers(fetch) != before
            print(f"\n{count:,} {what}, {loader} loader: {len(asked):,} requests")
            _report(tally, base, largest, changed)
            return bool(tally.failures) or changed
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def ask_all(url: str, asked: Sequence[tuple[Query, str]]) -> Tally:
    """Asks over a few connections at once."""
    tallies = [Tally() for _ in range(_THREADS)]

    def ask(number: int) -> None:
        fetch = fetch_over(url)
        for query, title in asked[number::_THREADS]:
            tallies[number].ask(fetch, query, title)

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(ask, range(_THREADS)))
    whole = Tally()
    for tally in tallies:
        whole.add(tally)
    return whole


def fetch_over(url: str) -> Fetch:
    """Asks over one connection that stays open."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=120)

    def fetch(path: str) -> tuple[int, bytes]:
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        except (http.client.HTTPException, OSError):
            connection.close()
            if len(path) > _LONGEST_LINK:
                return 414, b""  # answered and closed while the rest of it was still being sent
            raise

    return fetch


def _write_events(logdir: Path, count: int) -> dict[str, str]:
    event, titles = read_event(logdir / HEALTHY), {}
    for seed in range(count):
        what, mutated = mutate(event, seed)
        mutated.write(logdir / f"mutated-{seed:05}" / "activis")
        titles[f"mutated-{seed:05}/activis"] = f"seed {seed}: {what}"
    return titles


def _write_stores(logdir: Path, count: int) -> dict[str, str]:
    event, titles = read_event(logdir / HEALTHY), {}
    for seed in range(count):
        run = f"mutated-{seed:05}/activis"
        shutil.copytree(logdir / HEALTHY, logdir / run)
        titles[run] = f"seed {seed}: {mutate_store(logdir / run, event, seed)}"
    return titles


def _wait_for(fetch: Fetch, runs: int) -> None:
    deadline = time.monotonic() + _LOADING_SECONDS
    expected = f'"total_runs":{runs},'.encode()
    while True:
        status, body = fetch(path_of(("runs", [])))
        if status == 200 and expected in body and HEALTHY.encode() in body:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"TensorBoard has not loaded {runs:,} runs: {body[-200:]!r}")
        time.sleep(1)


def _healthy_answers(fetch: Fetch) -> list[tuple[int, bytes]]:
    jobs = {"separation", "matching", "similarity"}
    answers = [(query[0], fetch(path_of(query))) for query in questions(HEALTHY, 3)]
    return [answer for route, answer in answers if route not in jobs]


@contextmanager
def _memory(process: psutil.Process) -> Iterator[dict[str, int]]:
    """Gives the largest resident memory so far, bytes, of TensorBoard and of its data server."""
    largest: dict[str, int] = {"TensorBoard": 0, "data server": 0}
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_SAMPLE_SECONDS):
            try:
                largest["TensorBoard"] = max(largest["TensorBoard"], process.memory_info().rss)
                children = sum(child.memory_info().rss for child in process.children())
            except psutil.Error:
                continue
            largest["data server"] = max(largest["data server"], children)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield largest
    finally:
        ended.set()
        thread.join()


def _report(tally: Tally, base: dict[str, int], largest: dict[str, int], changed: bool) -> None:
    statuses: Counter[int] = Counter()
    routes: dict[str, Counter[int]] = {}
    for (route, status), count in tally.counts.items():
        statuses[status] += count
        routes.setdefault(route, Counter())[status] += count
    print("by status:", ", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items())))
    for route, counts in sorted(routes.items()):
        print(f"  {route[:20]:20}", ", ".join(f"{status}: {count:,}" for status, count in sorted(counts.items())))
    for who, size in largest.items():
        if size:
            more = (size - base[who]) / 2**20
            print(f"largest memory of {who}: {size / 2**20:,.0f} MB, {more:,.0f} MB more than after the healthy run")
    for refused, slowest in tally.slowest.items():
        for seconds, route, title, status in slowest[:3]:
            kind = "refused" if refused else "answered"
            print(f"slowest {kind}: {seconds:.2f} s, {status} {route}, {title[:120]}")
    healthy = "OTHERWISE" if changed else "as before"
    print(f"answers that must not be: {len(tally.failures)}; the healthy run is answered {healthy}")
    for failure in tally.failures[:20]:
        print(failure)


if __name__ == "__main__":
    main()
