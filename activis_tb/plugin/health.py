"""How a recorded layer fares, each figure over as many instances as it can be told for."""

import math

import numpy as np

from activis_tb.analysis import health
from activis_tb.analysis.strata import sample_strata
from activis_tb.model import ATTRIBUTE_TYPES, STATISTIC_NAMES, Statistics
from activis_tb.plugin.snapshots import JoinedSnapshot
from activis_tb.storage import activis_pb2 as pb


def layer_health(snapshot: JoinedSnapshot, layer: str) -> pb.LayerHealth:
    """Returns the health of `layer`.

    Dead and non-finite neurons come from the statistics of the classes, so they hold over all instances; the effective
    rank is that of the sample.

    Raises:
        NotFoundError: There is no such layer.
        StoredDataError: Its arrays are damaged.
    """
    reader = snapshot.reader_of(layer)
    strata = slice(len(snapshot.manifest.strata))
    stored = reader.statistics(layer)
    statistics = Statistics(**{name: getattr(stored, name)[strata] for name in STATISTIC_NAMES})
    activations = reader.activations(layer)
    instances = snapshot.manifest.instances
    signed = next(one.signed for one in snapshot.layers if one.name == layer)
    zeros_over = instances
    if signed:
        weights = sample_strata(snapshot.manifest, snapshot.reader.sample(without=ATTRIBUTE_TYPES)).weights
        zeros, zeros_over = health.estimated_zero_share(activations, weights), int(np.count_nonzero(weights))
    else:
        zeros = health.zero_share(statistics)
    rank = health.effective_rank(activations)
    known = math.isfinite(zeros)
    return pb.LayerHealth(
        neurons=activations.shape[1],
        dead=int(health.dead_neurons(statistics).sum()),
        dead_over=instances,
        zeros=zeros if known else 0,
        zeros_over=zeros_over if known else 0,
        effective_rank=rank.value,
        effective_rank_over=rank.rows,
        nonfinite=int(health.nonfinite_neurons(statistics).sum()),
        nonfinite_over=instances,
    )
