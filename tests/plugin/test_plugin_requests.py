"""Whatever a request says, the answer is data or a sentence; nothing but the plugin's own files is served."""

import json
import logging
import re
import time
from pathlib import Path
from unittest.mock import Mock

import pytest

from activis_tb.errors import ArgumentError, NewerVersionError, StoredDataError
from activis_tb.plugin import routes
from activis_tb.plugin.http import NotFoundError
from activis_tb.plugin.jobs import BusyError, QueueFullError
from activis_tb.plugin.snapshots import Snapshots
from tests.plugin.server import DEADLINE, Server
from tests.snapshots import column, make_snapshot, write_snapshot

ROOT = Path(__file__).resolve().parents[2]
KEY = {"run": "cnn/activis", "name": "validation", "step": 1}
DATA_ROUTES = (
    "runs",
    "graph",
    "instances",
    "image",
    "membership",
    "statistics",
    "activations",
    "projection",
    "health",
    "scores",
)
HOSTILE = [
    "",
    " ",
    "../../etc/passwd",
    "\x00",
    "é" * 5000,
    "<script>",
    "%00",
    "' OR 1=1 --",
    "a\r\nSet-Cookie: x",
    "☃",
    "\ud800",
]


@pytest.fixture(scope="module")
def logdir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("requests")
    attributes = [column("photo", "image", [b"\x89PNG\r\n\x1a\n", None]), column("length", "number", [1, 2])]
    write_snapshot(folder, "cnn/activis", make_snapshot({"hidden": [[1], [2]]}, labels=[0, 1], attributes=attributes))
    return folder


@pytest.fixture
def server(serve, logdir):
    return serve(logdir, snapshots=1)


@pytest.fixture
def slow(logdir):
    return Server(logdir, "slow")


@pytest.mark.parametrize("route", DATA_ROUTES)
def test_only_reading_is_allowed(slow, route):
    for verb in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        response = slow.get(route, verb=verb)
        assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD")
        assert response.text == f"Got a {verb} request; expected GET. Nothing here can be changed over HTTP."


@pytest.mark.parametrize("route", [*DATA_ROUTES, "index.js"])
def test_other_sites_are_refused(slow, route):
    assert slow.get(route, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    for site in ("same-origin", "same-site", "none"):
        assert slow.get(route, headers={"Sec-Fetch-Site": site}).status_code in {200, 400}


@pytest.mark.parametrize("parameter", ["run", "name", "step"])
def test_a_missing_parameter_is_named(slow, parameter):
    query = {name: value for name, value in KEY.items() if name != parameter}
    expected = (
        f"{parameter}: got no such parameter; expected it once. Add {parameter}=... to the query, percent-encoded."
    )
    assert slow.refused("instances", 400, **query) == expected


def test_a_parameter_given_twice_is_refused(slow):
    assert slow.refused("instances", 400, **{**KEY, "run": ["a", "b"]}).startswith(
        "run: got it 2 times; expected it once"
    )


NO_STEPS = [
    "1.5",
    "one",
    "0x1",
    "15e-1",
    "1e400",
    "1e9999",
    "",
    " 1",
    "٣",
    "9" * 30,
    "9" * 5000,
    "--1",
    "1_0",
    "nan",
    ".",
]


@pytest.mark.parametrize("step", NO_STEPS)
def test_a_step_must_be_an_integer(slow, step):
    sentence = slow.refused("instances", 400, **{**KEY, "step": step})
    assert sentence.startswith("step: got ")
    assert "expected an integer" in sentence or "expected at most 4,096" in sentence


@pytest.mark.parametrize("step", ["1", "1.0", "01", "1.", "1e0", "10E-1", "0.1e1", "1.000000000000000000"])
def test_a_whole_number_may_be_written_with_a_fraction_of_nothing(slow, step):
    assert slow.json("instances", **{**KEY, "step": step}) == slow.json("instances", **KEY)


def test_whole_numbers_are_whole_in_json(slow):
    queries = {"runs": {}, "graph": {"run": KEY["run"]}, "instances": KEY, "health": {**KEY, "layer": "hidden"}}
    queries |= {"subset": {**KEY, "condition": "length > 1"}, "summaries": KEY}
    for route, query in queries.items():
        numbers = []
        json.loads(slow.get(route, **query).text, parse_float=numbers.append)
        assert [number for number in numbers if float(number).is_integer()] == [], route
    (entry,) = slow.json("runs")["runs"][0]["snapshots"]
    assert json.dumps([entry["step"], entry["instances"], entry["layers"][0]["neurons"]]) == "[1, 2, 1]"


def test_an_unknown_choice_lists_the_choices(slow):
    sentence = slow.refused("statistics", 400, **KEY, layer="hidden", statistic="median")
    assert (
        sentence == "statistic: got 'median'; expected one of count, mean, std, min, max, active, nonfinite, overall."
    )
    assert "expected one of tsne, pca" in slow.refused("projection", 400, **KEY, layer="hidden", method="umap")


@pytest.mark.parametrize("perplexity", ["4", "101", "-30", "30.5", "nan", ""])
def test_a_perplexity_out_of_bounds_is_refused(slow, perplexity):
    for method in ("pca", "tsne"):
        query = {**KEY, "layer": "hidden", "method": method, "perplexity": perplexity}
        sentence = slow.refused("projection", 400, **query)
        assert sentence.startswith("perplexity: got ")
        assert "expected an integer" in sentence
    assert "an integer from 5 to 100." in slow.refused("projection", 400, **{**query, "perplexity": "101"})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"run": "cnn"}, "There is no run with recordings 'cnn'; there is 'cnn/activis'."),
        (
            {"run": "x" * 4_000},
            f"There is no run with recordings 'x{'x' * 117}…; there is 'cnn/activis'.",
        ),
        ({"name": "test"}, "There is no recording in run 'cnn/activis' named 'test'; there is 'validation'."),
        ({"step": 2}, "There is no snapshot of 'validation' in run 'cnn/activis' at step 2; there is 1."),
        (
            {"step": -(2**63)},
            f"There is no snapshot of 'validation' in run 'cnn/activis' at step {-(2**63)}; there is 1.",
        ),
    ],
)
def test_what_does_not_exist_is_named_with_what_does(server, changes, sentence):
    assert server.refused("instances", 404, **{**KEY, **changes}) == sentence


def test_layers_attributes_and_rows_that_do_not_exist_are_named(server):
    for route in ("activations", "statistics", "projection", "health"):
        query = {**KEY, "layer": "conv", "statistic": "mean", "method": "pca"}
        assert server.refused(route, 404, **query) == "There is no layer 'conv'; there is 'hidden'."
    assert "there is 'photo'" in server.refused("image", 404, **KEY, attribute="length", row=0)
    for row in (2, -1, 2**63 - 1):
        assert "Rows are 0 to 1." in server.refused("image", 404, **KEY, attribute="photo", row=row)
        assert "Rows are 0 to 1." in server.refused("scores", 404, **KEY, row=row)
    assert "expected an integer" in server.refused("image", 400, **KEY, attribute="photo", row="0.5")


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_text_is_never_more_than_not_found(server, text):
    text = text.encode(errors="replace").decode()
    for parameter in ("run", "name", "step"):
        response = server.get("instances", **{**KEY, parameter: text})
        assert response.status_code in {400, 404}, response.text
        assert response.mimetype == "text/plain"
        assert "Set-Cookie" not in response.headers
    for route, parameter in (
        ("activations", "layer"),
        ("image", "attribute"),
        ("projection", "layer"),
        ("projection", "perplexity"),
        ("health", "layer"),
        ("scores", "row"),
        ("graph", "run"),
    ):
        query = {**KEY, "row": "0", "method": "pca", "layer": "hidden", parameter: text}
        assert server.get(route, **query).status_code in {400, 404}
    assert server.get("graph", run="cnn/activis", source=text).status_code in ({200} if text == "" else {400, 404})


def test_bytes_that_are_not_utf8_are_not_found(server):
    path = "/data/plugin/activis/instances?run=%ff%fe&name=validation&step=1"
    assert server.client.get(path).status_code == 404


UNFORESEEN = (KeyError("hidden"), ValueError("cannot reshape"), RuntimeError(), MemoryError(), LookupError("x" * 4_000))


@pytest.mark.parametrize("error", UNFORESEEN, ids=repr)
@pytest.mark.parametrize("route", ["runs", "activations", "subset"])
def test_an_error_that_nobody_foresaw_is_a_fault_of_the_program_and_is_logged(slow, monkeypatch, caplog, error, route):
    monkeypatch.setattr(Snapshots, "all" if route == "runs" else "get", Mock(side_effect=error))
    with caplog.at_level(logging.ERROR):
        sentence = slow.refused(route, 500, **KEY, layer="hidden", condition="length > 1")
    assert sentence.startswith(f"{routes.UNFORESEEN} ({type(error).__name__}: ")
    assert sentence.endswith(
        "). That is a fault of activis-tb: please report it, with what TensorBoard's terminal shows."
    )
    assert len(sentence) < 300
    (record,) = [record for record in caplog.records if record.name == routes.__name__]
    assert record.exc_info[1] is error
    assert record.getMessage() == f"activis-tb cannot answer {route}"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StoredDataError("The blob is damaged."), 422),
        (ArgumentError("layer", "1", "a name"), 400),
        (NotFoundError("layer", "x"), 404),
        (BusyError(4), 503),
        (QueueFullError(2, 16), 503),
        (NewerVersionError("The snapshot", 9, 2), 422),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("route", ["activations", "subset"])
def test_our_own_errors_are_sentences_that_say_whose_fault_it_is(slow, monkeypatch, caplog, error, code, route):
    monkeypatch.setattr(Snapshots, "get", Mock(side_effect=error))
    assert slow.refused(route, code, **KEY, layer="hidden", condition="length > 1") == str(error)
    assert [record for record in caplog.records if record.name == routes.__name__] == []


def test_a_data_server_that_does_not_answer_may_be_asked_again(logdir):
    server = Server(logdir, "fast")
    server.wait_for_snapshots(1)
    server.close()
    deadline = time.monotonic() + DEADLINE
    while server.get("runs").status_code == 200 and time.monotonic() < deadline:
        time.sleep(0.1)
    for route in ("runs", "activations"):
        response = server.get(route, **KEY, layer="hidden")
        assert (response.status_code, response.headers["Retry-After"]) == (503, "1"), response.text
        assert response.text == "TensorBoard's data server did not answer (UNAVAILABLE). It will be asked again."


def test_the_table_of_routes_is_that_of_the_documentation_and_the_client(slow):
    table = (ROOT / "docs" / "http_api.md").read_text(encoding="utf-8")
    client = (ROOT / "frontend" / "src" / "contract" / "client.ts").read_text(encoding="utf-8")
    served = set(routes.Routes(slow.provider, "")._handlers)
    assert served == set(re.findall(r"^\| `(\w+)` \| .*\| .* \|$", table.partition("\n## Runs")[0], re.MULTILINE))
    assert served == set(re.findall(r"""(?:(?:json|computed|floats|get)(?:<\w+>)?\(|\(base, )"(\w+)",""", client))
    assert "There is no file or route 'nothing' in" in slow.refused("nothing", 404)


def test_the_front_end_is_served_with_its_types(tmp_path, slow, monkeypatch):
    from activis_tb.plugin import plugin

    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (tmp_path / "secret.js").write_text("secret")
    kinds = {
        "index.js": "text/javascript",
        "index.js.map": "application/json",
        "style.css": "text/css",
        "assets/worker-1a2b.js": "text/javascript",
        "assets/font.woff2": "font/woff2",
        "assets/icon.svg": "image/svg+xml",
    }
    for name in kinds:
        (static / name).write_text(f"/* {name} */")
    (static / "notes.py").write_text("not served")
    (static / "link.js").symlink_to(tmp_path / "secret.js")
    monkeypatch.setattr(plugin.serve_static, "__defaults__", (static,))
    for name, kind in kinds.items():
        response = slow.get(name)
        assert (response.status_code, response.mimetype, response.text) == (200, kind, f"/* {name} */")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    outside = (
        "../secret.js",
        "%2e%2e/secret.js",
        "assets/../../secret.js",
        "assets/..%2f..%2fsecret.js",
        "/etc/passwd.js",
    )
    for name in (*outside, "link.js", "notes.py", "assets", "assets/", "none.js", "assets/none.js", "a\x00.js"):
        response = slow.client.get("/data/plugin/activis/" + name)
        assert response.status_code == 404, (name, response.text)
        assert "secret" not in response.text.replace("secret.js", "")


def test_a_front_end_that_was_not_built_says_so_in_the_tab(tmp_path, slow, monkeypatch):
    from activis_tb.plugin import plugin

    monkeypatch.setattr(plugin.serve_static, "__defaults__", (tmp_path / "nothing",))
    response = slow.get("index.js")
    assert (response.status_code, response.mimetype) == (200, "text/javascript")
    assert "export function render()" in response.text
    assert "was not built" in response.text
