"""Tokens that do not fit are refused by the call that brings them, and nothing of it is recorded."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import activis_tb
from activis_tb.errors import ArgumentError
from activis_tb.model import LayerSpec, PooledActivations
from tests.unit.recording.helpers import CLASSES, batch, read_snapshots

WORDS = [["what", "is", "a"], ["name", "the", "city"]]
VALUES = np.ones((2, 3, 2), np.float32)
MASK = [[1, 1, 0], [1, 1, 1]]

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "fewer texts": (
        {"tokens": [["what", "is"], WORDS[1]]},
        "tokens: got 2 texts for instance 0; expected 3, as layer 'hidden' has 3 positions. Of padded texts, give",
    ),
    "more texts": ({"tokens": [WORDS[0], [*WORDS[1], "?"]]}, "got 4 texts for instance 1; expected 3"),
    "all longer": ({"tokens": [[*one, "?"] for one in WORDS]}, "got 4 texts for instance 0; expected 3"),
    "no text": ({"tokens": [[], WORDS[1]]}, "got 0 texts for instance 0"),
    "another count": ({"tokens": WORDS[:1]}, "tokens: got 1 lists of texts; expected 2, one per instance"),
    "ids": ({"tokens": [[17, 4, 2], [5, 6, 7]]}, "got int (17) at position 0 of instance 0; expected texts. Give what"),
    "an array of ids": ({"tokens": np.ones((2, 3), int)}, "got int64 of shape (2, 3); expected texts. Give what the"),
    "some ids": ({"tokens": [WORDS[0], ["name", "the", 3]]}, "got int (3) at position 2 of instance 1"),
    "whole texts": ({"tokens": ["what is a", "name the city"]}, "the text 'what is a' for instance 0; expected a list"),
    "one text": ({"tokens": "what is a"}, "expected one list of texts per instance"),
    "deeper lists": ({"tokens": [[["what"], ["is"], ["a"]], WORDS[1]]}, "got list (['what']) at position 0"),
    "surrogates": ({"tokens": [["what", "is", "\ud800"], WORDS[1]]}, "text that UTF-8 can hold"),
    "a mask that keeps more": (
        {"tokens": [["what"], WORDS[1]], "mask": MASK},
        "got 1 texts for instance 0; expected 3, as layer 'hidden' has 3 positions; or 2, as its mask keeps 2 of this",
    ),
    "a mask that keeps less": ({"tokens": [WORDS[0], ["a", "b"]], "mask": MASK}, "or 3, as its mask keeps 3 of this"),
    "a mask that keeps padding": (
        {"tokens": [["what", None, None], WORDS[1]], "mask": MASK},
        "got no text at position 1 of instance 0, which the mask of layer 'hidden' keeps; expected a text wherever",
    ),
    "offsets of another count": ({"tokens": (np.array([0, 3]), ["a"] * 6)}, "got offsets of shape (2,); expected (3,)"),
    "offsets beyond": (
        {"tokens": (np.array([0, 3, 7]), ["a"] * 6)},
        "got offsets from 0 to 7; expected ascending ones",
    ),
    "offsets that fall": ({"tokens": ([0, 7, 6], ["a"] * 6)}, "offsets from 0 to 6, not ascending"),
    "an unknown layer": ({"tokens": {"conv": WORDS}}, "got the layer 'conv'; expected layers of activations: hidden"),
    "no positions": ({"tokens": WORDS, "activations": {"hidden": VALUES[:, 0]}}, "tokens, but no layer with positions"),
    "named without positions": (
        {"tokens": {"hidden": WORDS}, "activations": {"hidden": VALUES[:, 0]}},
        'tokens["hidden"]: got tokens for a layer without positions',
    ),
    "a grid": (
        {"tokens": WORDS, "activations": {"hidden": np.ones((2, 3, 3, 2))}},
        "expected activations (instances, positions, neurons)",
    ),
    "pooled already": (
        {"tokens": WORDS, "activations": {"hidden": PooledActivations(VALUES[:, 0], (3, 2), "float32", "max")}},
        "that are yet to be pooled",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_refused_by_its_call_and_leaves_nothing(tmp_path: Path, case: str) -> None:
    wrong, sentence = REFUSED[case]
    right = batch([0, 1], VALUES, tokens=WORDS, ids=["x", "y"])
    with activis_tb.preprocess(tmp_path, layers=["hidden"], step=0, classes=CLASSES, quiet=True) as snapshot:
        with pytest.raises(ArgumentError, match=re.escape(sentence)):
            snapshot.process(**{**right, **wrong})
        snapshot.process(**right)
    reader = read_snapshots(tmp_path / "activis")[-1]
    assert reader.manifest.instances == 2
    assert reader.tokens("hidden").positions == 6
    assert reader.tokens("hidden").distinct == 6


@pytest.mark.parametrize(
    ("spec", "wrong", "sentence"),
    [
        (LayerSpec("hidden", tokens=True), {"tokens": None}, "got none; expected tokens for layer 'hidden'"),
        (LayerSpec("hidden", tokens=False), {"tokens": {"hidden": WORDS}}, "expected none, as LayerSpec('hidden', tok"),
        (
            LayerSpec("hidden", offset=2),
            {"tokens": WORDS},
            "got 3 texts for instance 0; expected 7, as layer 'hidden' h",
        ),
        (
            LayerSpec("hidden", offset=1),
            {"tokens": [["a"] * 7] * 2},
            "expected 5, as layer 'hidden' has 3 positions and",
        ),
    ],
)
def test_a_layer_says_what_it_needs(tmp_path: Path, spec: LayerSpec, wrong: dict[str, Any], sentence: str) -> None:
    snapshot = activis_tb.preprocess(tmp_path, layers=[spec], step=0, classes=CLASSES, quiet=True)
    with pytest.raises(ArgumentError, match=re.escape(sentence)):
        snapshot.process(**{**batch([0, 1], VALUES), **wrong})


@pytest.mark.parametrize("texts", [4, 5, 6])
def test_a_convolution_over_two_to_four_words_has_an_offset_of_one(tmp_path: Path, texts: int) -> None:
    layers = [LayerSpec("hidden", offset=1)]
    with activis_tb.preprocess(tmp_path, layers=layers, step=0, classes=CLASSES, quiet=True) as snapshot:
        snapshot.process(**batch([0, 1], VALUES, tokens=[["a"] * texts] * 2))
        other = 5 if texts != 5 else 4
        with pytest.raises(ArgumentError, match=f"got {other} texts for instance 0; expected {texts}, as layer"):
            snapshot.process(**batch([0, 1], VALUES, tokens=[["a"] * other] * 2))
    top = read_snapshots(tmp_path / "activis")[-1].top_positions("hidden")
    assert (top.before, top.after) == (1, texts - 4)


@pytest.mark.parametrize(("tokens", "offset"), [("min", 0), (1.5, 0), (None, -1), (None, "1")])
def test_a_layer_that_says_nonsense_is_refused_at_once(tmp_path: Path, tokens: Any, offset: Any) -> None:
    layers = [LayerSpec("hidden", tokens=tokens, offset=offset)]
    with pytest.raises(ArgumentError, match=r'(tokens|offset) of layer "hidden"'):
        activis_tb.preprocess(tmp_path, layers=layers, step=0, classes=CLASSES)


@pytest.mark.parametrize(("first", "second"), [(WORDS, None), (None, WORDS)])
def test_tokens_come_in_every_batch_or_in_none(tmp_path: Path, first: Any, second: Any) -> None:
    with activis_tb.preprocess(tmp_path, layers=["hidden"], step=0, classes=CLASSES, quiet=True) as snapshot:
        snapshot.process(**batch([0, 1], VALUES, tokens=first))
        with pytest.raises(ArgumentError, match=r"tokens: got .*as in the earlier batches. Give them always or never"):
            snapshot.process(**batch([0, 1], VALUES, tokens=second))


def test_the_caller_may_overwrite_its_arrays(tmp_path: Path) -> None:
    values = VALUES.copy()
    with activis_tb.preprocess(tmp_path, layers=["hidden"], step=0, classes=CLASSES, quiet=True) as snapshot:
        for label in range(3):
            values[:] = label
            snapshot.process(**batch([label, label], values, tokens=WORDS))
    assert read_snapshots(tmp_path / "activis")[-1].tokens("hidden").mean.tolist() == [[1, 1]] * 6


def test_test_cases_need_no_tokens(tmp_path: Path) -> None:
    layers = [LayerSpec("hidden", tokens=True)]
    with activis_tb.preprocess(tmp_path, layers=layers, step=0, classes=CLASSES, quiet=True) as snapshot:
        snapshot.examples(**batch([0, 1], VALUES))
        snapshot.process(**batch([0, 1], VALUES, tokens=WORDS))
    assert read_snapshots(tmp_path / "activis")[-1].tokens("hidden").positions == 6
