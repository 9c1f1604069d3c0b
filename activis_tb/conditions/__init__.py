"""Conditions over instances: text that a user types, checked, and evaluated over millions of instances.

    schema = Schema(classes=("cat", "dog"), attributes=(("age", "number"),), layers=(("hidden", 64),))
    condition = parse_condition("age > 20 AND label <> predicted AND neuron('hidden', 35) > 0.5", schema)
    engine = Engine(schema, instances, computed)
    members = engine.members(condition)

The language is that of SQL's boolean expressions, with SQL's meaning of NULL, and nothing else of SQL.
`parse_condition` refuses everything that is not on its whitelist by a `ConditionError`, which knows the position. Only
names that were found in the schema, and values, survive of the text; `Engine` hands the values to DuckDB as bound
parameters.

Importing this room loads lark, building an `Engine` or checking a regular expression DuckDB: import it where
conditions are used, not where TensorBoard starts.
"""

from activis_tb.conditions.certainty import certain_and_possible, judge_kept_texts, possible_members
from activis_tb.conditions.check import check_syntax, parse_condition
from activis_tb.conditions.distribution import Distribution
from activis_tb.conditions.engine import Engine
from activis_tb.conditions.instances import Instances, StoredColumn, StoredInstances
from activis_tb.conditions.schema import ConditionError, CostlyConditionError, Schema
from activis_tb.conditions.tree import Computed, Condition, Neuron, ScoreOf, names_instances

__all__ = [
    "Computed",
    "Condition",
    "ConditionError",
    "CostlyConditionError",
    "Distribution",
    "Engine",
    "Instances",
    "Neuron",
    "Schema",
    "ScoreOf",
    "StoredColumn",
    "StoredInstances",
    "certain_and_possible",
    "check_syntax",
    "judge_kept_texts",
    "names_instances",
    "parse_condition",
    "possible_members",
]
