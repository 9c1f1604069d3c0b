"""Requests to the plugin: all that a tab asks of a snapshot, and random and hostile ones, by a fixed seed."""

import random
from collections.abc import Iterator, Sequence

from tests.fuzzing.events import ATTRIBUTES, CLASSES, KEY, LAYERS

Query = tuple[str, list[tuple[str, str]]]
"""A route and its parameters."""

HEALTHY = "healthy/activis"
ALLOWED = frozenset({200, 202, 400, 403, 404, 405, 409, 414, 422, 503})
"""Statuses that an answer may have; 414 is TensorBoard's own for a link that is too long."""

CONDITIONS = (
    "length > 10 AND topic = 'art'",
    "text LIKE 'What%' OR long",
    "neuron('hidden', 1) > 0 AND score_of('cat') < 0.5",
    "label <> predicted AND photo IS NULL",
    "id IN ('1', '2') OR index < 7",
    "when >= '2024-01-02' AND big <> 1152921504606846977",
)
_STATISTICS = ("count", "mean", "std", "min", "max", "active", "nonfinite", "error", "bound")


def questions(run: str, number: int = 0) -> Iterator[Query]:
    """Yields what is asked about one snapshot; `number` varies what would be too much to ask every time."""
    key = [("run", run), *((name, str(value)) for name, value in KEY.items())]
    other = [("other_run", HEALTHY), *((f"other_{name}", str(value)) for name, value in KEY.items())]
    base = [(name.removeprefix("other_"), value) for name, value in other]
    turned = [*base, *((f"other_{name}", value) for name, value in key)]
    layer = [("layer", LAYERS[number % len(LAYERS)])]
    condition = [("condition", CONDITIONS[number % len(CONDITIONS)])]
    yield from ((route, key) for route in ("instances", "membership", "scores", "summaries"))
    yield "graph", [("run", run)]
    yield "image", [*key, ("attribute", "photo"), ("row", "1")]
    yield "image", [*key, ("attribute", "photo"), ("row", str((30, 61)[number % 2]))]
    yield "statistics", [*key, *layer, ("statistic", _STATISTICS[number % 7])]
    yield "activations", [*key, *layer]
    yield "projection", [*key, *layer, ("method", "pca")]
    yield "health", [*key, *layer]
    yield "health", [*key, ("layer", LAYERS[(number + 1) % len(LAYERS)])]
    yield "separation", [*key, *layer]
    yield "neuron", [*key, *layer, ("neuron", str(number % 3))]
    yield ("positions", "position_codes", "position_maxima")[number % 3], [*key, *layer]
    yield "subset", [*key, *condition]
    yield "subset", [*key, ("condition", CONDITIONS[(number + 1) % len(CONDITIONS)])]
    yield "subset_statistics", [*key, *layer, *condition, ("statistic", _STATISTICS[number % len(_STATISTICS)])]
    for route in ("agreement", "similarity"):
        yield route, [*key, *other]
    yield "agreement", turned
    yield "matching", [*key, *other, *layer, ("method", "best")]
    yield "matching", [*turned, *layer, ("method", "index")]
    onto = [(name.replace("other_", "onto_"), value) for name, value in other]
    yield "projection", [*key, *layer, ("method", "pca"), *onto]
    if number % 25 == 0:
        yield "projection", [*key, *layer, ("method", "tsne")]
        yield "projection", [*key, *layer, ("method", "tsne"), ("frame", "steps")]


def store_questions(run: str, number: int = 0) -> Iterator[Query]:
    """Yields those of the questions that the side files answer."""
    routes = {"subset", "subset_statistics", "summaries", "agreement", "neuron"}
    return (query for query in questions(run, number) if query[0] in routes)


_ROUTES = (
    *("runs", "graph", "instances", "image", "membership", "statistics", "activations", "projection", "health"),
    *("scores", "subset", "subset_statistics", "summaries", "agreement", "matching"),
    *("separation", "similarity", "neuron", "index.js", "nothing", "../runs", "runs/"),
)
_PARAMETERS = (
    *("run", "name", "step", "layer", "statistic", "attribute", "row", "method", "perplexity", "frame", "condition"),
    *("source", "other_run", "other_name", "other_step", "other_layer", "onto_run", "onto_name", "onto_step"),
    *("onto_layer", "neuron", "unheard_of", "", "quantity", "target"),
)
_HOSTILE = (
    *("", " ", "\0", "%00", "nan", "NaN", "inf", "-inf", "1e309", "-1", "0", "-0", "1.5", "0x10", "1_000", "１２"),
    *("9" * 18, "9" * 19, "9" * 40, "9" * 5_000, "-9223372036854775808", "9223372036854775807", "3.0", "+3", "3\n"),
    *("../../etc/passwd", "a\r\nSet-Cookie: x", "<script>", "\ud800", "☃", "é" * 5_000, "x" * 4_096, "x" * 100_000),
    *("' OR 1=1 --", "${jndi}", "{{7*7}}", "null", "[]", "{}", "true", ".", "..", "/", "tsne", "pca", "steps"),
)
_HOSTILE_CONDITIONS = (
    "(" * 2_000 + "length > 1" + ")" * 2_000,
    "NOT " * 1_000 + "long",
    " AND ".join(["length > 1"] * 400),
    "length > " + "9" * 400,
    "length > 1e999",
    "length > nan",
    "text ~ '(a+)+$'",
    "text ~ '(((((((((((x{50}){50}){50}){50}'",
    "text ~ '['",
    "text LIKE '" + "%a" * 1_500 + "'",
    "neuron('hidden', 99999999999999999999) > 0",
    "neuron('hidden', -1) > 0",
    "neuron('nothing', 0) > 0",
    "score_of('nobody') > 1",
    "id IN (" + ", ".join(f"'{number}'" for number in range(500)) + ")",
    "topic = '\0'",
    "topic = '\ud800'",
    "length / 0 > 1",
    "length BETWEEN 1 AND",
    "-" * 3_000 + "1 < length",
    "[" * 4_000,
    "'",
    '"',
    "length > 1; DROP TABLE instances",
    "read_csv('/etc/passwd') IS NULL",
    "length > 1 -- comment",
    "label = 'ant' OR NULL",
    "1 = 1",
    "TRUE",
    "text = 'x' COLLATE NOCASE",
)


def hostile_query(seed: int, runs: Sequence[str] = (HEALTHY,)) -> Query:
    """Returns a random request; most have some parameters right, so that they get far."""
    choices = random.Random(seed)
    route = choices.choice(_ROUTES)
    right = {
        "run": choices.choice(runs),
        "name": str(KEY["name"]),
        "step": str(KEY["step"]),
        "layer": choices.choice(LAYERS),
        "statistic": choices.choice(_STATISTICS),
        "attribute": choices.choice(ATTRIBUTES),
        "row": str(choices.randrange(70)),
        "neuron": str(choices.randrange(6)),
        "method": choices.choice(("pca", "best", "index")),
        "condition": choices.choice(CONDITIONS),
        "other_run": choices.choice(runs),
        "other_name": str(KEY["name"]),
        "other_step": str(KEY["step"]),
    }
    parameters = list(right.items())
    for _ in range(choices.choice((0, 1, 1, 1, 2, 4))):
        kind = choices.choice(("drop", "twice", "set", "set", "set", "add", "many", "nonsense"))
        at = choices.randrange(len(parameters)) if parameters else 0
        name = parameters[at][0] if parameters else "run"
        odd = choices.choice(_HOSTILE_CONDITIONS) if name == "condition" and choices.random() < 0.7 else _odd(choices)
        if kind == "drop":
            parameters = parameters[:at] + parameters[at + 1 :]
        elif kind == "twice":
            parameters.append((name, odd))
        elif kind == "set":
            parameters = [(other, odd if other == name else value) for other, value in parameters]
        elif kind == "add":
            parameters.append((choices.choice(_PARAMETERS), odd))
        elif kind == "many":
            parameters += [(choices.choice(("layer", "other_layer", "run")), choices.choice(LAYERS))] * 300
        else:
            parameters.append((_odd(choices)[:50], odd))
    if choices.random() < 0.3:
        parameters = [
            (name, choices.choice(_HOSTILE_CONDITIONS) if name == "condition" else value) for name, value in parameters
        ]
    return route, parameters


def _odd(choices: random.Random) -> str:
    if choices.random() < 0.25:
        return "".join(
            chr(choices.choice((choices.randrange(128), choices.randrange(0x300))))
            for _ in range(choices.randrange(30))
        )
    return choices.choice((*_HOSTILE, *CLASSES, *ATTRIBUTES))
