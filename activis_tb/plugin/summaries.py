"""How the values of every outcome and attribute are distributed, over as many instances as can be looked at."""

from collections.abc import Sequence

import numpy as np

from activis_tb.conditions import CostlyConditionError, Distribution
from activis_tb.model import MOST_CHARACTERS
from activis_tb.plugin.populations import Population
from activis_tb.plugin.wire import exact_numbers
from activis_tb.storage import activis_pb2 as pb
from activis_tb.times import times_of

_LEFT_OUT = frozenset({"id", "index"})


def summarise(population: Population) -> pb.ColumnSummaries:
    """Returns the distribution of every column but the ids; empty where that takes too long.

    Of a sample, every instance counts as many as it stands for.
    """
    everything = population.exactness != "estimate"
    return pb.ColumnSummaries(
        columns=[
            _column(population, name, type_)
            for name, type_ in population.schema.columns.items()
            if name not in _LEFT_OUT
        ],
        source="all" if everything else "sample",
        over=population.over,
        total=population.snapshot.manifest.instances,
        note=" ".join(
            [*([population.note] if population.note else []), *map(_cut_note, population.engine.cut.items())]
        ),
    )


def _cut_note(column: tuple[str, int]) -> str:
    name, count = column
    texts = "text" if count == 1 else "texts"
    kept = f"only the first {MOST_CHARACTERS:,} characters were kept"
    return f"Of {count:,} long {texts} in {name} {kept}; different ones may count as one."


def _column(population: Population, name: str, type_: str) -> pb.ColumnSummary:
    try:
        weights = population.strata.weights if population.exactness == "estimate" else None
        found = population.engine.distribution(name, weights)
    except CostlyConditionError:
        found = Distribution(0, 0)
    quantiles, quantile_texts = _exact(found.quantiles, type_)
    edges, edge_texts = _exact(found.edges, type_)
    encoded = type_ in {"image", "audio"}
    return pb.ColumnSummary(
        name=name,
        type="category" if type_ == "class" else type_,
        present=found.present,
        distinct=0 if encoded else found.distinct,
        values=[] if encoded else [pb.ValueCount(value=value, count=count) for value, count in found.values],
        beginnings=[
            pb.Beginning(text=one.text, count=one.count, either_case=one.either_case) for one in found.beginnings
        ],
        quantiles=quantiles,
        quantile_texts=quantile_texts,
        edges=edges,
        edge_texts=edge_texts,
        counts=found.counts,
    )


def _exact(values: Sequence[float], type_: str) -> tuple[list[float], list[str]]:
    if not values:
        return [], []
    return exact_numbers(times_of([int(value) for value in values]) if type_ == "time" else np.array(values))
