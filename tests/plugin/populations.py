"""One data set recorded in three ways: everything in the sample, everything stored, the sample alone."""

from pathlib import Path

import numpy as np

import activis_tb

CLASSES = ("ant", "bee", "cat")
ROWS = 400
KEY = {"name": "validation", "step": 0}

_generator = np.random.default_rng(0)
LABEL = np.arange(ROWS) % 3
PREDICTED = np.where(np.arange(ROWS) % 5 == 0, (LABEL + 1) % 3, LABEL)
SCORES = np.full((ROWS, 3), 0.125)
SCORES[np.arange(ROWS), PREDICTED] = 0.75
AGE = _generator.integers(0, 50, ROWS).astype(float)
AGE[::9] = np.nan
TOPIC = np.array(["sports", "it's", "Ärzte", "<img src=x>"], object)[_generator.integers(0, 4, ROWS)]
TOPIC[::13] = None
TEXT = np.array([f"What is number {row}?" if row % 4 else f"row {row}" for row in range(ROWS)], object)
HIDDEN = (_generator.normal(size=(ROWS, 5)) + LABEL[:, None]).astype(np.float32)
HIDDEN[:, 1] = np.maximum(HIDDEN[:, 1], 0)
HIDDEN[::7, 2] = np.nan
HIDDEN[:, 3] = 0

CONDITIONS = {
    "age > 20": AGE > 20,
    "NOT (age > 20)": AGE <= 20,
    "age IS NULL OR topic IS NULL": np.isnan(AGE) | (TOPIC == None),  # noqa: E711 - by element
    "topic IN ('it''s', 'Ärzte')": np.isin(TOPIC.astype(str), ["it's", "Ärzte"]),
    "text ILIKE 'what is%' AND age < 30": (np.arange(ROWS) % 4 > 0) & (AGE < 30),
    "text ~ '[05]$'": np.array([text[-1] in "05" for text in TEXT]),
    "label <> predicted": LABEL != PREDICTED,
    "correct AND label = 'bee'": (LABEL == PREDICTED) & (LABEL == 1),
    "score_of('cat') > 0.5": SCORES[:, 2] > 0.5,
    "score < 0.1": np.zeros(ROWS, bool),
    "index BETWEEN 10 AND 19": (np.arange(ROWS) >= 10) & (np.arange(ROWS) <= 19),
    "id = '17'": np.arange(ROWS) == 17,
}


def record(logdir: Path, run: str, order: np.ndarray | None = None, **arguments: object) -> None:
    """Records the data set in batches of 64, in its own order unless another one is given."""
    order = np.arange(ROWS) if order is None else order
    arguments = {"step": 0, "layers": ["hidden"], "classes": CLASSES, "quiet": True, **arguments}
    with activis_tb.preprocess(logdir / run, **arguments) as recorder:
        for start in range(0, ROWS, 64):
            rows = order[start : start + 64]
            recorder.process(
                labels=LABEL[rows],
                scores=SCORES[rows],
                ids=np.arange(ROWS)[rows],
                attributes={"age": AGE[rows], "topic": TOPIC[rows].tolist(), "text": TEXT[rows].tolist()},
                activations=dict.fromkeys(arguments["layers"], HIDDEN[rows]),
            )


def expected(statistic: str, members: np.ndarray) -> np.ndarray:
    """A statistic over `members` by plain NumPy, cell by cell, float64 (neurons,)."""
    return np.array([_cell(statistic, HIDDEN[members, neuron].astype(np.float64)) for neuron in range(5)])


def _cell(statistic: str, values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    if statistic in {"count", "nonfinite"}:
        return len(finite) if statistic == "count" else len(values) - len(finite)
    if not len(finite):
        return np.nan
    return {
        "mean": finite.mean(),
        "std": finite.std(),
        "min": finite.min(),
        "max": finite.max(),
        "active": (finite > 0).mean(),
    }[statistic]
