"""Order of the instances from one pass over the data to the next, and ids from contents where it changes."""

import sys
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError
from activis_tb.recording.attributes import read_column
from activis_tb.recording.identity import IdentityDeriver, hash_bytes, hash_texts, mix

WAY_OUT = "Yield them with the data, as batches (x, y, attributes) or (x, y, attributes, ids), or do not shuffle it."
_CHANCE = ("shuffle", "permut", "random", "rng", "sample", "choice")
"""Parts of the names in a method that may bring its instances into another order."""
_OPAQUE = ("PyFunc", "Random")
"""Parts of the names of operations of which nobody knows what order they make."""
_LARGEST_GRAPH = 2**26
_WORD = 8


class ReorderedError(ArgumentError):
    """Instances in another order than before."""

    def __init__(self, got: str) -> None:
        expected = "the same instances in the same order in every pass, as they are known by their position"
        super().__init__("x", got, expected, WAY_OUT)


class Walk:
    """Pass over the data that compares its instances with those of an earlier pass, in 16 bytes per instance.

    Args:
        earlier: The earlier pass, if there was one.
    """

    def __init__(self, earlier: "Walk | None" = None) -> None:
        self._earlier = earlier
        self._labels: list[NDArray[np.int64]] = []
        self._inputs: list[NDArray[np.uint64]] = []
        self._instances = 0

    def see(self, labels: NDArray[Any] | None, inputs: Any) -> None:
        """Adds the next batch.

        Args:
            labels: (instances,), whole numbers or texts; None where there are none.
            inputs: As the data yields them.

        Raises:
            ReorderedError: An instance has another label than the one at its position before.
        """
        codes = _codes(labels, inputs)
        self._labels.append(codes)
        self._inputs.append(content_hashes(inputs, len(codes)))
        if self._earlier is not None:
            before = self._earlier.labels[self._instances : self._instances + len(codes)]
            unlike = np.flatnonzero(before != codes[: len(before)])
            if unlike.size:
                raise ReorderedError(
                    f"another label at position {self._instances + unlike[0]:,} than in the pass before"
                )
        self._instances += len(codes)

    def end(self) -> None:
        """Ends the pass.

        Raises:
            ReorderedError: There were more instances or fewer than before, or the same ones in another order.
        """
        self._labels = [np.concatenate([np.empty(0, np.int64), *self._labels])]
        self._inputs = [np.concatenate([np.empty(0, np.uint64), *self._inputs])]
        earlier, self._earlier = self._earlier, None
        if earlier is None:
            return
        if len(earlier.labels) != self._instances:
            raise ReorderedError(f"{self._instances:,} instances, where the pass before had {len(earlier.labels):,}")
        if is_permuted(earlier.inputs, self.inputs):
            raise ReorderedError("the inputs in another order than in the pass before")

    @property
    def labels(self) -> NDArray[np.int64]:
        """Of a pass that has ended, numbers or hashes (instances,)."""
        return self._labels[0]

    @property
    def inputs(self) -> NDArray[np.uint64]:
        """Of a pass that has ended, hashes (instances,)."""
        return self._inputs[0]


class ContentIds:
    """Ids from contents, the same in any order: a hash of inputs and label, and the number of its occurrence."""

    def __init__(self) -> None:
        self._deriver = IdentityDeriver()

    def next(self, labels: NDArray[Any] | None, inputs: Any) -> list[str]:
        """Returns the ids of the next batch."""
        codes = _codes(labels, inputs)
        contents = mix(content_hashes(inputs, len(codes)) ^ codes.view(np.uint64))
        columns = {"inputs": read_column("inputs", [f"{content:016x}" for content in contents], len(contents), "text")}
        none = np.zeros(len(contents), np.int32)
        ids: list[str] = self._deriver.derive(columns, none, np.arange(len(contents))).tolist()
        self._deriver.remember(columns, none)
        return ids


def _codes(labels: NDArray[Any] | None, inputs: Any) -> NDArray[np.int64]:
    """Returns a number per instance, equal where the labels are, (instances,); 0 where there are no labels."""
    if labels is None:
        return np.zeros(len(keras.tree.flatten(inputs)[0]), np.int64)
    if labels.dtype.kind in "iub":
        return labels.astype(np.int64)
    return hash_texts([str(label) for label in labels.tolist()]).view(np.int64)


def is_permuted(before: NDArray[np.uint64], now: NDArray[np.uint64]) -> bool:
    """Tells whether hashes are the same ones in another order; those of augmented inputs leave that open."""
    return not np.array_equal(before, now) and np.array_equal(np.sort(before), np.sort(now))


def content_hashes(inputs: Any, rows: int) -> NDArray[np.uint64]:
    """Returns a hash of each instance's inputs, uint64 (instances,); 0 for all where they cannot be read as arrays."""
    hashes = np.zeros(rows, np.uint64)
    for position, values in enumerate(keras.tree.flatten(inputs)):
        try:
            array = values if isinstance(values, np.ndarray) else keras.ops.convert_to_numpy(values)
            one = _row_hashes(np.asarray(array))
        except (AttributeError, TypeError, ValueError, RuntimeError, NotImplementedError):
            continue
        if one.shape == hashes.shape:
            hashes = mix(hashes ^ one ^ np.uint64(position))
    return hashes


def _row_hashes(array: NDArray[Any]) -> NDArray[np.uint64]:
    """A multilinear hash of each row's bytes modulo 2^64 (Carter and Wegman 1979); zeros at its end do not count."""
    rows = len(array)
    if array.dtype.kind in "OUS":
        texts = [repr(row.tolist() if isinstance(row, np.ndarray) else row).encode() for row in array]
        return hash_bytes(texts)
    content = np.ascontiguousarray(array).reshape(rows, -1).view(np.uint8)
    padding = -content.shape[1] % _WORD
    if padding:
        content = np.pad(content, ((0, 0), (0, padding)))
    words = content.view(np.uint64)
    products: NDArray[np.uint64] = words @ _factors(words.shape[1])
    return products


@lru_cache(maxsize=4)
def _factors(count: int) -> NDArray[np.uint64]:
    return mix(np.arange(count, dtype=np.uint64)) | np.uint64(1)


def what_reorders(source: Any) -> str:
    """Returns why `source` has another order in every pass, for a message; empty where no reason is known."""
    if _is_tf_dataset(source):
        return _TensorFlowPipeline(source).reorders
    if isinstance(source, keras.utils.PyDataset):
        return _in_py_dataset(source)
    return _in_loader(source)


def is_shuffled_once(source: Any) -> bool:
    """Tells whether a tf.data.Dataset is shuffled, but into the same order in every pass."""
    return _is_tf_dataset(source) and _TensorFlowPipeline(source).is_shuffled


def keeps_order(source: Any) -> bool:
    """Tells whether `source` certainly yields its instances in the same order in every pass."""
    if isinstance(source, list | tuple):
        return True
    if _is_tf_dataset(source):
        pipeline = _TensorFlowPipeline(source)
        return not (pipeline.reorders or pipeline.is_opaque)
    if isinstance(source, keras.utils.PyDataset):
        return not _seems_random(source, "__getitem__", "on_epoch_begin", "on_epoch_end")
    torch = sys.modules.get("torch")
    return torch is not None and type(getattr(source, "sampler", None)) is torch.utils.data.SequentialSampler


def _is_tf_dataset(source: Any) -> bool:
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(source, tensorflow.data.Dataset)


class _TensorFlowPipeline:
    """Steps of a tf.data.Dataset, and the functions in them, by what they do to the order.

    Attributes:
        reorders: What changes the order from pass to pass, for a message; empty where nothing does.
        is_shuffled: Whether there is a shuffle, of any kind.
        is_opaque: Whether there are steps that may yield any order.
    """

    def __init__(self, dataset: Any) -> None:
        self.reorders = ""
        self.is_shuffled = False
        self.is_opaque = False
        self._is_parallel = False
        self._bytes = 0
        self._walk(dataset)
        if self._is_parallel and dataset.options().deterministic is False:
            self.reorders = self.reorders or "parallel steps whose order is free (deterministic=False)"
        if self._is_parallel and not self.reorders and self._bytes <= _LARGEST_GRAPH:
            self._read(_graph_of(dataset))

    def _walk(self, dataset: Any) -> None:
        if hasattr(dataset, "_reshuffle_each_iteration"):
            self._note(anew=dataset._reshuffle_each_iteration is not False)  # noqa: SLF001
        if getattr(dataset, "_rerandomize", False):
            self._note(anew=True)
        self._is_parallel |= type(dataset).__name__.startswith("_Parallel")
        self._bytes += sum(tensor.dtype.size * tensor.shape.num_elements() for tensor in _tensors(dataset))
        for function in dataset._functions():  # noqa: SLF001 (TensorFlow has no public way to what a pipeline does)
            self._read(function.function.graph.as_graph_def())
        try:
            inputs = dataset._inputs()  # noqa: SLF001
        except NotImplementedError:
            self.is_opaque = True
            return
        self.is_opaque |= type(dataset).__name__ == "_VariantDataset"
        for one in inputs:
            self._walk(one)

    def _read(self, graph: Any) -> None:
        for node in [*graph.node, *(node for function in graph.library.function for node in function.node_def)]:
            self.is_opaque |= any(part in node.op for part in _OPAQUE)
            self.is_shuffled |= node.op == "RandomShuffle"
            if "reshuffle_each_iteration" in node.attr:
                self._note(anew=node.attr["reshuffle_each_iteration"].b)
            if node.attr["rerandomize_each_iteration"].b:
                self._note(anew=True)
            if node.attr["deterministic"].s == b"false":
                self.reorders = self.reorders or "parallel steps whose order is free (deterministic=False)"

    def _note(self, *, anew: bool) -> None:
        self.is_shuffled = True
        if anew:
            self.reorders = "a tf.data.Dataset that is shuffled anew in every pass"


def _tensors(dataset: Any) -> Iterator[Any]:
    for tensor in getattr(dataset, "_tensors", ()):
        if tensor.shape.num_elements() is not None and tensor.dtype.size:
            yield tensor


def _graph_of(dataset: Any) -> Any:
    import tensorflow as tf

    serialized = tf.raw_ops.DatasetToGraphV2(
        input_dataset=dataset._variant_tensor,  # noqa: SLF001
        external_state_policy=1,
        strip_device_assignment=True,
    )
    return tf.compat.v1.GraphDef.FromString(serialized.numpy())


def _in_py_dataset(source: keras.utils.PyDataset) -> str:
    name = type(source).__name__
    if getattr(source, "shuffle", False) is True:
        return f"a {name} with shuffle=True"
    for method in ("on_epoch_begin", "on_epoch_end"):
        if _seems_random(source, method):
            return f"a {name} that is shuffled by {method}"
    return ""


def _seems_random(source: Any, *methods: str) -> bool:
    """Whether methods, or those of the same class that they call, use a name that suggests random numbers."""
    known: set[str] = set()
    names = list(methods)
    while names:
        name = names.pop()
        code = getattr(getattr(type(source), name, None), "__code__", None)
        if code is not None and name not in known and not _is_of_keras(type(source), name):
            names.extend(code.co_names)
        known.add(name)
    return any(part in name.casefold() for name in known.difference(methods) for part in _CHANCE)


def _is_of_keras(kind: type, method: str) -> bool:
    return getattr(kind, method) is getattr(keras.utils.PyDataset, method, None)


def _in_loader(source: Any) -> str:
    """Why a PyTorch DataLoader has another order in every pass: its sampler draws at random."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(source, torch.utils.data.DataLoader):
        return ""
    samplers = [source.sampler, source.batch_sampler, getattr(source.batch_sampler, "sampler", None)]
    data = torch.utils.data
    random = (data.RandomSampler, data.SubsetRandomSampler, data.WeightedRandomSampler)
    drawn = next((sampler for sampler in samplers if isinstance(sampler, random)), None)
    if drawn is None:
        drawn = next((one for one in samplers if getattr(one, "shuffle", False) is True), None)
    return "" if drawn is None else f"a DataLoader that draws by a {type(drawn).__name__} (shuffle=True)"
