"""Which instances a loader gives to a worker, and which are padding; the oracle is what PyTorch and accelerate load."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    DistributedSampler,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    TensorDataset,
)

import activis_tb
from activis_tb.errors import ArgumentError

WORKERS = 3


def dataset(instances: int) -> TensorDataset:
    return TensorDataset(torch.arange(instances))


def loaded(loader: Any) -> list[int]:
    return [int(number) for (batch,) in loader for number in batch]


def assert_shared_out(make: Callable[[int], Any], instances: int, *, whole: bool = True) -> None:
    """Every loader gives what is said of it, and every instance comes once where the padding is left out."""
    own: list[int] = []
    for rank in range(WORKERS):
        loader = make(rank)
        positions, padding = activis_tb.torch.positions(loader)
        assert (positions.dtype, padding.dtype, positions.shape) == (np.int64, np.bool_, padding.shape)
        assert positions.tolist() == loaded(loader)
        own += positions[~padding].tolist()
    assert sorted(own) == (list(range(instances)) if whole else sorted(set(own)))


@pytest.mark.parametrize("instances", [1, 2, 30, 31, 401])
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
def test_a_distributed_sampler_repeats_instances_unless_it_drops_some(
    instances: int, drop_last: bool, shuffle: bool
) -> None:
    def loader(rank: int) -> Any:
        sampler = DistributedSampler(data, WORKERS, rank, shuffle=shuffle, drop_last=drop_last, seed=5)
        sampler.set_epoch(2)
        return DataLoader(data, 4, sampler=sampler)

    data = dataset(instances)
    assert_shared_out(loader, instances, whole=not drop_last)
    padding = sum(int(activis_tb.torch.positions(loader(rank).sampler).padding.sum()) for rank in range(WORKERS))
    assert padding == (0 if drop_last else -instances % WORKERS)


def test_a_loader_in_order_has_every_instance_but_those_of_a_batch_that_it_drops() -> None:
    for sampler in (DataLoader(dataset(10), 4), SequentialSampler(dataset(10)), DataLoader(dataset(10), None)):
        positions, padding = activis_tb.torch.positions(sampler)
        assert positions.tolist() == list(range(10))
        assert not padding.any()
    assert activis_tb.torch.positions(DataLoader(dataset(10), 4, drop_last=True)).positions.tolist() == list(range(8))


@pytest.mark.parametrize("even_batches", [True, False])
@pytest.mark.parametrize("split_batches", [True, False])
@pytest.mark.parametrize("drop_last", [True, False])
@pytest.mark.parametrize("instances", [1, 5, 6, 35, 36, 37, 41, 100])
def test_accelerate_gives_out_batches(instances: int, drop_last: bool, split_batches: bool, even_batches: bool) -> None:
    from accelerate.data_loader import prepare_data_loader

    def loader(rank: int) -> Any:
        plain = DataLoader(dataset(instances), 6, drop_last=drop_last)
        return prepare_data_loader(
            plain, num_processes=WORKERS, process_index=rank, split_batches=split_batches, even_batches=even_batches
        )

    assert_shared_out(loader, instances, whole=not drop_last)


class Stream(IterableDataset):
    def __iter__(self) -> Iterator[int]:
        return iter(range(5))


class Backwards(DistributedSampler):
    def __iter__(self) -> Iterator[int]:
        return iter(list(super().__iter__())[::-1])


@pytest.mark.parametrize(
    ("source", "got"),
    [
        (DataLoader(dataset(5), shuffle=True), "RandomSampler"),
        (BatchSampler(RandomSampler(dataset(5)), 2, False), "RandomSampler"),
        (DataLoader(Stream()), "a loader of Stream, an iterable data set"),
        (Backwards(dataset(5), 2, 0), "Backwards"),
        (DataLoader(dataset(5), batch_sampler=[[0, 1]]), "list"),
        (DataLoader(dataset(5), num_workers=1, in_order=False), "a loader with in_order=False"),
        (dataset(5), "TensorDataset"),
        (None, "NoneType"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_known_is_refused(source: Any, got: str) -> None:
    before = torch.get_rng_state()
    with pytest.raises(ArgumentError, match=f"source: got {got}, whose order cannot be known beforehand") as caught:
        activis_tb.torch.positions(source)
    assert "let the data set return the position of every instance" in str(caught.value)
    assert torch.equal(torch.get_rng_state(), before)


def test_positions_change_nothing() -> None:
    loader = DataLoader(dataset(9), 2, sampler=DistributedSampler(dataset(9), 2, 1, shuffle=True))
    before = torch.get_rng_state()
    first, second = activis_tb.torch.positions(loader), activis_tb.torch.positions(loader)
    assert np.array_equal(first.positions, second.positions)
    assert torch.equal(torch.get_rng_state(), before)
