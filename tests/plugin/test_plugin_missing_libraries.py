"""A library that cannot be imported is named, and what needs none of it is answered."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import activis_tb
from activis_tb.errors import ArgumentError
from tests.plugin.populations import KEY, record
from tests.plugin.server import Server

ROOT = Path(__file__).resolve().parents[2]
RUN = {"run": "stored/activis", **KEY}
OTHER = {"other_run": "sample/activis", "other_name": KEY["name"], "other_step": KEY["step"]}
LAYER = {**RUN, "layer": "hidden"}
ROUTES = {
    "runs": {},
    "graph": {"run": "stored/activis"},
    "instances": RUN,
    "membership": RUN,
    "statistics": {**LAYER, "statistic": "mean"},
    "activations": LAYER,
    "scores": RUN,
    "health": LAYER,
    "projection": {**LAYER, "method": "tsne"},
    "subset": {**RUN, "condition": "age > 20"},
    "subset_statistics": {**LAYER, "statistic": "mean", "condition": "age > 20"},
    "summaries": RUN,
    "agreement": {**RUN, **OTHER},
    "matching": {**LAYER, **OTHER, "method": "best"},
    "similarity": {**RUN, **OTHER},
    "separation": LAYER,
    "neuron": {**LAYER, "neuron": 0},
}
CONDITIONS = {"subset", "subset_statistics", "summaries", "agreement"}


@pytest.fixture(scope="module")
def logdir(tmp_path_factory):
    logdir = tmp_path_factory.mktemp("logs")
    for run in ("stored", "sample"):
        record(logdir, run, keep="all", sample=60)
    return logdir


def refused(server, title):
    """Returns the routes whose answers name a library that is missing; the others must be answered."""
    found = set()
    for route, query in ROUTES.items():
        answer = server.get(route, **query)
        while answer.status_code == 202:
            answer = server.get(route, **query)
        if answer.status_code != 200 or (route == "agreement" and answer.get_json()["exactness"] == "sample"):
            # Who is right where can be told of the sample too; its note says what is missing.
            assert answer.status_code == (200 if route == "agreement" else 503), (route, answer.text)
            assert f"This needs {title}, which cannot be imported where TensorBoard runs" in answer.text
            assert "Retry-After" not in answer.headers
            found.add(route)
    return found


@pytest.mark.parametrize(
    ("module", "title", "routes"),
    [
        ("duckdb", "DuckDB", CONDITIONS),
        ("openTSNE.affinity", "openTSNE", {"projection"}),
        ("sklearn.metrics", "scikit-learn", {"separation"}),
        ("scipy.optimize", "SciPy", {"matching"}),
    ],
)
def test_a_missing_library_is_named_where_it_is_needed_and_nowhere_else(
    serve_slow, logdir, monkeypatch, module, title, routes
):
    monkeypatch.setitem(sys.modules, module, None)
    server = serve_slow(logdir)
    assert refused(server, title) == routes
    monkeypatch.undo()
    monkeypatch.setenv("ACTIVIS_CACHE", "")
    assert refused(server, title) == set()


@pytest.mark.slow
def test_conditions_alone_need_the_library_that_parses_them(logdir, own_cache):
    code = "import sys; sys.modules['lark'] = None; from tests.plugin import test_plugin_missing_libraries as test"
    code += f"; from pathlib import Path; test.check_without_lark(Path({str(logdir)!r}))"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def check_without_lark(logdir):
    assert refused(Server(logdir, "slow"), "lark") == CONDITIONS


def test_an_extension_that_was_built_for_another_numpy_is_a_library_that_cannot_be_imported(
    serve_slow, logdir, monkeypatch, tmp_path
):
    package = tmp_path / "packages" / "openTSNE"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ValueError('numpy.dtype size changed')")
    for name in [name for name in sys.modules if name.partition(".")[0] == "openTSNE"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(package.parent)
    assert refused(serve_slow(logdir), "openTSNE") == {"projection"}


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"keep": "all"}, "keep"),
        ({"subsets": {"sure": "score > 0.5"}}, r'subsets\["sure"\]'),
        ({"always": "score > 0.5"}, "always"),
    ],
)
def test_a_recording_that_needs_a_missing_library_is_refused_before_it_begins(
    tmp_path, monkeypatch, arguments, argument
):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(ArgumentError, match=f"{argument}: got .* no DuckDB, as that cannot be imported"):
        activis_tb.preprocess(tmp_path, step=0, layers=["hidden"], classes=["ant", "bee"], **arguments)
    with activis_tb.preprocess(tmp_path, step=0, layers=["hidden"], classes=["ant", "bee"], quiet=True) as recorder:
        recorder.process(labels=[0, 1], scores=[0.1, 0.9], activations={"hidden": np.eye(2)})
