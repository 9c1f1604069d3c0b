"""Positions, in its data set, of the instances that a sampler gives to this worker, and which of them are padding."""

from collections.abc import Iterable
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import BatchSampler, DataLoader, DistributedSampler, IterableDataset, Sampler, SequentialSampler

from activis_tb.errors import ArgumentError

_EXPECTED = (
    "a SequentialSampler (shuffle=False), a DistributedSampler or accelerate's BatchSamplerShard, or a loader that "
    "uses one"
)
_WAY_OUT = "Load without shuffling, or let the data set return the position of every instance beside it."


class Positions(NamedTuple):
    """Positions and padding, in the order in which the instances come to this worker.

    Attributes:
        positions: In the data set, int64 (instances,).
        padding: Whether an instance is repeated so that every worker has equally many, bool (instances,); it is
            another worker's, or was here before.
    """

    positions: NDArray[np.int64]
    padding: NDArray[np.bool_]


def positions(source: "DataLoader[Any] | Sampler[Any]") -> Positions:
    """Returns which instances a loader or sampler gives to this worker, and which are padding, to be left out.

        positions, padding = activis_tb.torch.positions(loader)

    A `DistributedSampler` of W workers gives worker r the instances that stand at r + j W in its order, which is
    shuffled by seed and epoch: call `set_epoch` first, as before iterating. accelerate gives it the batches k W + r,
    or, with `split_batches`, the r-th piece of every batch. Positions past the end of the data set repeat its
    beginning, unless `drop_last` or `even_batches=False` says otherwise. Nothing is loaded, no random state changes.

    Args:
        source: A `DataLoader` (also one that accelerate prepared), a sampler or a batch sampler.

    Raises:
        ArgumentError: The order cannot be known beforehand: it is drawn on use, or made by other code.
    """
    order, padding = _order(source)
    return Positions(order, padding)


def _order(source: Any) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    if isinstance(source, DataLoader):
        return _order(_sampler_of(source))
    if _is_of_accelerate(source, "BatchSamplerShard"):
        return _shard(source)
    if isinstance(source, SequentialSampler) and _goes_as(source, SequentialSampler):
        return _whole(np.arange(len(source.data_source)))
    if isinstance(source, DistributedSampler) and _goes_as(source, DistributedSampler):
        own = _indices(source)
        places = source.rank + np.arange(len(own)) * source.num_replicas
        return own, places >= len(source.dataset)
    if isinstance(source, BatchSampler) and _goes_as(source, BatchSampler):
        order, padding = _order(source.sampler)
        kept = len(order) - len(order) % source.batch_size if source.drop_last else len(order)
        return order[:kept], padding[:kept]
    return _refuse(type(source).__name__)


def _sampler_of(loader: "DataLoader[Any]") -> Any:
    if isinstance(loader.dataset, IterableDataset):
        _refuse(f"a loader of {type(loader.dataset).__name__}, an iterable data set")
    if not _goes_as(loader, DataLoader) and not _is_of_accelerate(loader, "DataLoaderShard"):
        _refuse(type(loader).__name__)
    if getattr(loader, "skip_batches", 0):
        _refuse("a loader that skips batches")
    if loader.num_workers and not getattr(loader, "in_order", True):
        _refuse("a loader with in_order=False")
    return loader.sampler if loader.batch_sampler is None else loader.batch_sampler


def _shard(shard: Any) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The share that accelerate gives to one process, of the batches of a known sampler."""
    order, padding = _order(shard.batch_sampler)
    if shard.batch_size is None or padding.any():
        _refuse("a BatchSamplerShard of batches of several sizes, or of another worker's share")
    batches = [_indices(batch) for batch in shard]
    if shard.split_batches:
        step, first = shard.batch_size, shard.process_index * (shard.batch_size // shard.num_processes)
    else:
        step, first = shard.num_processes * shard.batch_size, shard.process_index * shard.batch_size
    places = [number * step + first + np.arange(len(batch)) for number, batch in enumerate(batches)]
    own, at = (np.concatenate([np.empty(0, np.int64), *parts]) for parts in (batches, places))
    is_padding = at >= len(order)
    if not np.array_equal(own[~is_padding], order[at[~is_padding]]):
        _refuse("a BatchSamplerShard that goes another way")
    return own, is_padding


def _goes_as(source: Any, known: type[Any]) -> bool:
    """Whether it inherits `__iter__` from the class of PyTorch."""
    return type(source).__iter__ is known.__iter__


def _is_of_accelerate(source: Any, name: str) -> bool:
    """Whether it is of a class of accelerate, by name, as that need not be installed."""
    classes = [one for one in type(source).__mro__ if one.__module__.partition(".")[0] == "accelerate"]
    return any(one.__name__ == name for one in classes)


def _whole(order: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    return order, np.zeros(len(order), np.bool_)


def _indices(values: Iterable[int]) -> NDArray[np.int64]:
    return np.array(list(values), np.int64)


def _refuse(got: str) -> NoReturn:
    raise ArgumentError("source", f"{got}, whose order cannot be known beforehand", _EXPECTED, _WAY_OUT)
