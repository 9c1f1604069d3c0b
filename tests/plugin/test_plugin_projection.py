"""PCA at once; t-SNE as a job that streams, ends, is given up, and is remembered."""

import threading
import time

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from activis_tb.analysis.projection import ITERATIONS, pca, tsne
from activis_tb.plugin.cache import ArrayCache
from activis_tb.plugin.jobs import Computations, JobQueue, QueueFullError
from activis_tb.plugin.resources.layers import RecordedLayer
from activis_tb.plugin.resources.projections import Projections
from tests.plugin.server import DEADLINE, read_array
from tests.snapshots import make_snapshot, write_snapshot

KEY = {"run": "cnn/activis", "name": "validation", "step": 1, "layer": "hidden"}


def activations(rows=40, seed=0):
    values = np.random.default_rng(seed).normal(size=(rows, 6)).astype(np.float32)
    values[3, 2] = np.nan
    return values


@pytest.fixture
def logdir(tmp_path):
    snapshot = make_snapshot({"hidden": activations(), "pair": activations()[:, :2]}, labels=[0, 1] * 20)
    write_snapshot(tmp_path / "logs", "cnn/activis", snapshot)
    return tmp_path / "logs"


def poll(server, **query):
    """Asks until the projection is final; returns the answers."""
    answers = []
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        answers.append(server.get("projection", **query))
        assert answers[-1].status_code in {200, 202}, answers[-1].text
        if answers[-1].status_code == 200:
            return answers
        time.sleep(0.02)
    raise TimeoutError("the projection did not end")


def test_pca_is_answered_at_once(serve, logdir):
    server = serve(logdir, snapshots=1)
    response = server.get("projection", **KEY, method="pca")
    assert response.status_code == 200
    coordinates = read_array(response)
    assert coordinates.dtype == np.dtype("<f4")
    assert_array_equal(coordinates, pca(activations()))
    assert [response.headers[f"Activis-{name}"] for name in ("Iteration", "Iterations", "Perplexity")] == ["0"] * 3
    assert (response.headers["Activis-Rows"], response.headers["Activis-Neurons-Left-Out"]) == ("39", "0")


def test_tsne_is_streamed_until_it_is_final(serve, logdir):
    server = serve(logdir, snapshots=1)
    answers = poll(server, **KEY, method="tsne")
    assert answers[0].status_code == 202
    iterations = [int(answer.headers["Activis-Iteration"]) for answer in answers]
    assert iterations == sorted(iterations)
    assert {answer.headers["Activis-Iterations"] for answer in answers} == {str(ITERATIONS)}
    assert float(answers[0].headers["Activis-Perplexity"]) == pytest.approx(38 / 3, rel=1e-5)
    for answer in answers:
        assert_array_equal(np.isnan(read_array(answer)).all(axis=1), np.arange(40) == 3)
    assert_array_equal(read_array(answers[-1]), tsne(activations()))


def test_the_perplexity_is_as_wanted_and_each_has_its_own_picture(serve_slow, logdir):
    server = serve_slow(logdir)
    tight = poll(server, **KEY, method="tsne", perplexity=5)[-1]
    assert tight.headers["Activis-Perplexity"] == "5"
    assert_array_equal(read_array(tight), tsne(activations(), perplexity=5))
    assert_array_equal(read_array(poll(server, **KEY, method="tsne")[-1]), tsne(activations()))
    wide = server.get("projection", **KEY, method="tsne", perplexity=100)
    assert (wide.status_code, wide.headers["Activis-Perplexity"]) == (200, "12.6667")


def test_a_neuron_that_is_broken_in_most_instances_takes_no_place_away(serve_slow, tmp_path):
    broken = activations()
    broken[5:, 0] = np.inf
    write_snapshot(tmp_path / "logs", "cnn/activis", make_snapshot({"hidden": broken}, labels=[0, 1] * 20))
    server = serve_slow(tmp_path / "logs")
    for answer in (server.get("projection", **KEY, method="pca"), *poll(server, **KEY, method="tsne")):
        assert (answer.headers["Activis-Rows"], answer.headers["Activis-Neurons-Left-Out"]) == ("39", "1")
        assert_array_equal(np.isnan(read_array(answer)).all(axis=1), np.arange(40) == 3)


def test_a_finished_tsne_is_there_at_once_after_a_restart(serve, logdir, own_cache):
    first = read_array(poll(serve(logdir, snapshots=1), **KEY, method="tsne")[-1])
    assert [path.suffix for path in own_cache.iterdir()] == [".npy"]
    assert own_cache.stat().st_mode & 0o777 == 0o700
    again = serve(logdir, snapshots=1).get("projection", **KEY, method="tsne")
    assert again.status_code == 200
    assert_array_equal(read_array(again), first)


@pytest.mark.parametrize(
    "content", [b"", b"\x93NUMPY", b"not an array", b"\x80\x04N."], ids=["empty", "torn", "text", "pickle"]
)
def test_a_corrupt_cache_file_is_replaced(serve_slow, logdir, own_cache, content):
    first = read_array(poll(serve_slow(logdir), **KEY, method="tsne")[-1])
    (path,) = own_cache.iterdir()
    path.write_bytes(content)
    answers = poll(serve_slow(logdir), **KEY, method="tsne")
    assert answers[0].status_code == 202
    assert_array_equal(read_array(answers[-1]), first)
    assert_array_equal(np.load(path, allow_pickle=False), first)


def test_a_cache_file_of_another_shape_is_replaced(serve_slow, logdir, own_cache):
    first = read_array(poll(serve_slow(logdir), **KEY, method="tsne")[-1])
    (path,) = own_cache.iterdir()
    np.save(path, np.zeros((7, 2), np.float32))
    assert_array_equal(read_array(poll(serve_slow(logdir), **KEY, method="tsne")[-1]), first)


def test_a_cache_folder_that_others_can_write_is_not_used(tmp_path):
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    cache = ArrayCache(folder)
    cache.put("key", np.ones(3))
    assert_array_equal(cache.get("key"), np.ones(3))
    assert list(folder.iterdir()) == []


def test_the_cache_forgets_what_was_used_least_recently(tmp_path):
    size = np.ones(100).nbytes
    cache = ArrayCache(tmp_path, memory_limit=0, disk_limit=3 * (size + 128))
    for number, key in enumerate(["a", "b", "c"]):
        cache.put(key, np.full(100, number))
        time.sleep(0.01)
    assert_array_equal(cache.get("a"), np.zeros(100))
    time.sleep(0.01)
    cache.put("d", np.full(100, 3))
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["a", "c", "d"]
    assert cache.get("b") is None


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Steps:
    """Work that is let through step by step."""

    def __init__(self):
        self.permits = threading.Semaphore(0)
        self.reached = threading.Semaphore(0)
        self.steps = 0
        self.ended = False

    def __call__(self, report):
        while not self.ended:
            self.reached.release()
            self.permits.acquire()
            self.steps += 1
            report(self.steps, np.full((1, 2), self.steps, np.float32))

    def step(self):
        self.permits.release()
        assert self.reached.acquire(timeout=DEADLINE)

    def started(self):
        return self.reached.acquire(timeout=DEADLINE)


def finish(*works):
    for work in works:
        work.ended = True
        work.permits.release()


def test_a_job_tells_how_far_it_is():
    queue, work = JobQueue(), Steps()
    assert queue.ask("a", work).newest is None
    assert work.started()
    work.step()
    work.step()
    job = queue.ask("a", work)
    assert job.iteration == 2
    assert_array_equal(job.newest, [[2, 2]])
    finish(work)
    assert job.finished.wait(DEADLINE)


def test_a_job_that_nobody_asks_for_is_cancelled_and_can_start_again():
    clock, work = Clock(), Steps()
    queue = JobQueue(patience=15, clock=clock)
    job = queue.ask("a", work)
    assert work.started()
    clock.now = 15.0
    work.step()
    assert not job.finished.is_set()
    queue.ask("a", work)
    clock.now = 30.0
    work.step()
    clock.now = 45.1
    work.permits.release()
    assert job.finished.wait(DEADLINE)
    assert work.steps == 3
    again = queue.ask("a", work)
    assert again is not job
    assert work.started()
    finish(work)
    assert again.finished.wait(DEADLINE)


def test_a_waiting_job_that_nobody_asks_for_is_never_started():
    clock, running, waiting = Clock(), Steps(), Steps()
    queue = JobQueue(workers=1, patience=15, clock=clock)
    first = queue.ask("running", running)
    assert running.started()
    second = queue.ask("waiting", waiting)
    clock.now = 16.0
    queue.ask("running", running)
    finish(running)
    assert first.finished.wait(DEADLINE)
    assert second.finished.wait(DEADLINE)
    assert waiting.steps == 0


def test_a_full_queue_says_so_and_makes_room_for_new_jobs_when_old_ones_are_abandoned():
    clock, works = Clock(), [Steps() for _ in range(4)]
    queue = JobQueue(workers=1, waiting=2, patience=15, clock=clock)
    queue.ask("0", works[0])
    assert works[0].started()
    for key in ("1", "2"):
        queue.ask(key, works[int(key)])
    with pytest.raises(QueueFullError, match="1 computations are running and 2 are waiting"):
        queue.ask("3", works[3])
    clock.now = 16.0
    queue.ask("0", works[0])
    job = queue.ask("3", works[3])
    finish(*works)
    assert job.finished.wait(DEADLINE)


def test_an_error_of_the_work_reaches_who_asks():
    queue = JobQueue()

    def work(_):
        raise MemoryError("too large")

    assert queue.ask("a", work).finished.wait(DEADLINE)
    with pytest.raises(MemoryError, match="too large"):
        queue.ask("a", work)
    assert queue.ask("a", lambda _: None).finished.wait(DEADLINE)


def test_closing_ends_running_work():
    queue, work = JobQueue(), Steps()
    job = queue.ask("a", work)
    assert work.started()
    work.permits.release(1000)
    queue.close()
    assert job.finished.is_set()


def test_a_full_queue_is_a_sentence(serve_slow, logdir, monkeypatch):
    server = serve_slow(logdir)
    works = [Steps() for _ in range(2)]
    queue = JobQueue(workers=1, waiting=1)
    monkeypatch.setattr("activis_tb.plugin.routes.Computations", lambda: Computations(ArrayCache(None), queue))
    queue.ask("0", works[0])
    assert works[0].started()
    queue.ask("1", works[1])
    assert "Ask again in a few seconds" in server.refused("projection", 503, **KEY, method="tsne")
    finish(*works)


def test_the_same_activations_share_one_job():
    projections = Projections(Computations(ArrayCache(None), JobQueue()))
    fetched = []

    def fetch():
        fetched.append(1)
        return activations()

    def layer(identity):
        return RecordedLayer(identity, fetch, neurons=6)

    deadline = time.monotonic() + DEADLINE
    while not projections.get(layer("a"), "tsne").done and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(fetched) == 2
    assert projections.get(layer("a"), "pca").done
    assert len(fetched) == 2
    assert projections.get(layer("b"), "tsne").done
    assert len(fetched) == 3
