"""The conditions page: each condition holds for the instances named, each refusal and limit is as stated."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

import activis_tb
from activis_tb.conditions import ConditionError, Schema, parse_condition
from activis_tb.conditions.schema import GRAMMAR
from tests.unit.test_readme import snapshots

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "conditions.md").read_text(encoding="utf-8")
CLASSES = ["NUM", "DESC"]
SCHEMA = Schema(
    tuple(CLASSES), (("text", "text"), ("words", "number"), ("asked", "time"), ("picture", "image")), (("hidden", 4),)
)


def table(header: str) -> list[list[str]]:
    """The rows of the table with this first cell; those of which there are two: of the first."""
    found = re.search(rf"^\| {header} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, flags=re.MULTILINE)
    assert found, header
    return [
        [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in found[1].splitlines()
    ]


EXAMPLES = [(condition.strip("`"), members) for condition, members in table("condition")]
REFUSALS = [tuple(cell.strip("`") for cell in row) for row in table(r"condition \| the place")]


@pytest.fixture(scope="module")
def members(tmp_path_factory) -> dict[str, str]:
    """By condition the ids of the instances it holds for, as a recording finds them."""
    logdir = tmp_path_factory.mktemp("logs")
    rows = table("id")
    first = [
        math.nan if score == "" else float(score) if predicted == "NUM" else 1 - float(score)
        for _, _, predicted, score, *_ in rows
    ]
    with activis_tb.preprocess(
        logdir,
        step=0,
        layers=["hidden"],
        classes=CLASSES,
        subsets={condition: condition for condition, _ in EXAMPLES},
        attribute_types={"text": "text", "asked": "time"},
        quiet=True,
    ) as snapshot:
        snapshot.process(
            labels=[label for _, label, *_ in rows],
            scores=[[score, 1 - score] for score in first],
            ids=[id_ for id_, *_ in rows],
            attributes={
                "text": [row[4] for row in rows],
                "words": [int(row[5]) for row in rows],
                "asked": [row[6] or None for row in rows],
            },
            activations={"hidden": [[float(row[7]), 0, 0, 0] for row in rows]},
        )
    (reader,) = snapshots(logdir).values()
    ids, membership = reader.ids(), np.asarray(reader.membership())
    names = [subset.name for subset in reader.manifest.subsets]
    return {name: ", ".join(sorted(ids[membership[:, at]])) for at, name in enumerate(names)}


@pytest.mark.filterwarnings("ignore:.*not finite")
@pytest.mark.parametrize(("condition", "expected"), EXAMPLES)
def test_a_condition_holds_for_the_instances_that_the_page_names(members, condition: str, expected: str) -> None:
    assert members[condition] == expected


@pytest.mark.parametrize(("condition", "place", "sentence", "offered"), REFUSALS)
def test_a_refusal_says_what_the_page_says(condition: str, place: str, sentence: str, offered: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse_condition(condition, SCHEMA)
    start, end = caught.value.position
    assert condition[start:end] == place
    assert sentence in str(caught.value)
    assert (caught.value.suggestion or "") == offered


@pytest.mark.parametrize(
    ("stated", "largest", "over"),
    [
        ("4,096 characters", "words = 1".ljust(4096), "words = 1".ljust(4097)),
        (
            "1,000 names and values",
            f"words IN ({', '.join(['1'] * 999)})",
            f"words IN ({', '.join(['1'] * 1000)})",
        ),
        ("32 levels deep", "(" * 28 + "words = 1" + ")" * 28, "(" * 33 + "words = 1" + ")" * 33),
        ("256 characters per pattern", f"text LIKE '{'x' * 256}'", f"text LIKE '{'x' * 257}'"),
        ("8 regular expressions", " OR ".join(["text ~ 'a'"] * 8), " OR ".join(["text ~ 'a'"] * 9)),
    ],
)
def test_the_limits_are_those_that_the_page_states(stated: str, largest: str, over: str) -> None:
    assert stated in PAGE
    parse_condition(largest, SCHEMA)
    with pytest.raises(ConditionError):
        parse_condition(over, SCHEMA)


def test_what_only_may_be_missing_or_not_is_a_condition() -> None:
    parse_condition("picture IS NOT NULL", SCHEMA)


def test_the_operators_are_those_of_the_grammar_in_its_order() -> None:
    rules, terminals = re.sub(r"//.*", "", GRAMMAR).split("?operand:")
    written = {"NOT_MATCHES": ["!~"]}
    for name, value in re.findall(r'^(\w+)[.\d]*: (".*)$', terminals, flags=re.MULTILINE):
        written[name] = re.findall(r'"([^"]+)"', value)
    of_grammar = [
        operator
        for literal, terminal in re.findall(r'"(\w+)"|\b([A-Z_]{2,})\b', rules)
        for operator in ([literal] if literal else written[terminal])
    ]
    code = re.findall(r"`([^`]+)`", " ".join(row[0] for row in table("operators")))
    listed = re.findall(r"[A-Z]+|[^\w\s…()]+", " ".join(code))
    prefixes = {"NOT", "NULL"}
    assert [one for one in dict.fromkeys(listed) if one not in prefixes] == [
        one for one in dict.fromkeys(of_grammar) if one not in prefixes
    ]
