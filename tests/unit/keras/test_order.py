"""Attributes and ids stand at their own instances, or are refused: data whose order changes is noticed."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch

from activis_tb.errors import ArgumentError
from activis_tb.keras import ActivisCallback, record
from tests.unit.keras.models import CLASSES, INSTANCES, X, Y, compiled, in_order, sequential, snapshots

TEXTS = [f"{label} at {position}" for position, label in enumerate(Y)]
OPTIONS = {"layers": ["hidden"], "classes": CLASSES, "quiet": True}
ORDERED = tf.data.Dataset.from_tensor_slices((X, Y))
WITH_TEXTS = tf.data.Dataset.from_tensor_slices((X, Y, {"text": TEXTS}))
PAIRS = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
SPEC = (tf.TensorSpec((6, 2)), tf.TensorSpec((), tf.int64))


class Sequence(keras.utils.PyDataset):
    """Batches of 5."""

    def __init__(self, shuffle=False):
        super().__init__()
        self.shuffle = shuffle
        self.order = np.arange(INSTANCES)
        self.random = np.random.default_rng(4)

    def __len__(self):
        return 5

    def __getitem__(self, position):
        rows = self.rows(position)
        return X[rows], Y[rows]

    def rows(self, position):
        return self.order[5 * position : 5 * position + 5]


class Mixed(Sequence):
    def on_epoch_end(self):
        self.mix()

    def mix(self):
        self.random.shuffle(self.order)


class Drawn(Sequence):
    def rows(self, position):
        return self.random.permutation(super().rows(position))


class Generated:
    """Batches that stay until `first`, and come in another order in every pass from there on."""

    def __init__(self, first=0):
        self.first = first
        self.passes = 0

    def __iter__(self):
        self.passes += 1
        order = np.arange(INSTANCES)
        np.random.default_rng(self.passes).shuffle(order[self.first :])
        for start in range(0, INSTANCES, 5):
            yield X[order[start : start + 5]], Y[order[start : start + 5]]


def permuted_pairs():
    for position in np.random.default_rng().permutation(INSTANCES):
        yield X[position], Y[position]


def permuted_in_graph(x, y):
    order = tf.random.shuffle(tf.range(tf.shape(y)[0]))
    return tf.gather(x, order), tf.gather(y, order)


def free():
    options = tf.data.Options()
    options.deterministic = False
    return ORDERED.map(lambda x, y: (x, y), num_parallel_calls=2).with_options(options)


def interleaved(**options):
    return tf.data.Dataset.range(3).interleave(lambda at: ORDERED.shard(3, at), num_parallel_calls=2, **options)


CHANGING = {
    "shuffle": lambda: ORDERED.shuffle(INSTANCES).batch(5),
    "seeded shuffle": lambda: ORDERED.shuffle(INSTANCES, seed=3).batch(5).prefetch(1),
    "shuffled batches": lambda: ORDERED.batch(5).shuffle(5),
    "shuffle in flat_map": lambda: tf.data.Dataset.range(1).flat_map(lambda _: ORDERED.shuffle(9)).batch(5),
    "shuffle in a part": lambda: ORDERED.take(9).concatenate(ORDERED.skip(9).shuffle(9)).batch(5),
    "shuffle and cache": lambda: ORDERED.shuffle(INSTANCES, seed=1).cache().batch(INSTANCES),
    "drawn from": lambda: tf.data.Dataset.sample_from_datasets(
        [ORDERED.shard(2, 0), ORDERED.shard(2, 1)], rerandomize_each_iteration=True
    ).batch(5),
    "interleave": lambda: interleaved(deterministic=False).batch(5),
    "map": lambda: ORDERED.map(lambda x, y: (x, y), num_parallel_calls=2, deterministic=False).batch(5),
    "options": lambda: free().batch(5),
    "generator": lambda: tf.data.Dataset.from_generator(permuted_pairs, output_signature=SPEC).batch(INSTANCES),
    "PyDataset": lambda: Sequence(shuffle=True),
    "PyDataset by epoch": Mixed,
    "PyDataset by batch": Drawn,
    "DataLoader": lambda: torch.utils.data.DataLoader(PAIRS, 5, shuffle=True),
    "sampler": lambda: torch.utils.data.DataLoader(
        PAIRS, 5, sampler=torch.utils.data.SubsetRandomSampler(range(INSTANCES))
    ),
    "iterable": Generated,
    "iterable, later": lambda: Generated(10),
}
STEADY = {
    "dataset": lambda: ORDERED.batch(5),
    "interleave": lambda: tf.data.Dataset.range(1).interleave(lambda _: ORDERED, num_parallel_calls=2).batch(5),
    "generator": lambda: tf.data.Dataset.from_generator(lambda: zip(X, Y, strict=True), output_signature=SPEC).batch(5),
    "filter": lambda: ORDERED.filter(lambda x, y: y >= 0).cache().batch(5),
    "PyDataset": Sequence,
    "DataLoader": lambda: torch.utils.data.DataLoader(PAIRS, 5),
    "list": lambda: [(X[:9], Y[:9]), (X[9:], Y[9:])],
    "iterable": lambda: Generated(INSTANCES),
}


@pytest.fixture(scope="module")
def model():
    return compiled(sequential())


def begin(model, callback):
    callback.set_model(model)
    callback.on_train_begin()


@pytest.fixture
def fit(tmp_path, model):
    """Trains, records, and returns the snapshots in order of their steps."""

    def fit(data, epochs=2, **options):
        callback = ActivisCallback(tmp_path, data, **{"strict": True, **OPTIONS, **options})
        model.fit(X, Y, epochs=epochs, verbose=0, callbacks=[callback])
        return [reader for _, reader in sorted(snapshots(tmp_path).items())]

    return fit


def texts_of(reader):
    (text,) = reader.sample().attributes
    return [text.categories[code] for code in text.values]


def check_texts(reader):
    """Every text says the label of the instance that it stands at, and nothing is lost."""
    sample = reader.sample()
    texts = texts_of(reader)
    assert sorted(texts) == sorted(TEXTS)
    assert [int(text.split()[0]) for text in texts] == sample.label.tolist()


def hidden_by_id(reader):
    return dict(zip(reader.sample().ids, reader.sample().label.tolist(), strict=True))


@pytest.mark.parametrize("data", CHANGING.values(), ids=CHANGING)
def test_columns_beside_data_whose_order_changes_are_refused_before_the_first_step(tmp_path, model, data):
    with pytest.raises(ArgumentError, match=r"^x: got .*expected the same instances in the same order.* \(x, y, attr"):
        begin(model, ActivisCallback(tmp_path, data(), attributes={"text": TEXTS}, **OPTIONS))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["shuffle", "iterable, later"])
def test_ids_beside_data_whose_order_changes_too(tmp_path, model, name):
    with pytest.raises(ArgumentError, match=r"with ids beside it|another label at position"):
        begin(model, ActivisCallback(tmp_path, CHANGING[name](), ids=np.arange(INSTANCES), **OPTIONS))


@pytest.mark.parametrize("data", STEADY.values(), ids=STEADY)
def test_columns_beside_data_that_keeps_its_order_stand_at_their_instances(fit, data):
    for reader in fit(data(), attributes={"text": TEXTS}, ids=np.arange(INSTANCES)):
        check_texts(reader)
        np.testing.assert_array_equal(in_order(reader, reader.sample().label), Y)


def test_a_trained_model_is_not_recorded_with_columns_beside_shuffled_data(tmp_path):
    with pytest.raises(ArgumentError, match="shuffled anew in every pass, with attributes and ids beside it"):
        record(sequential(), CHANGING["shuffle"](), tmp_path, attributes={"text": TEXTS}, ids=TEXTS, **OPTIONS)
    assert list(tmp_path.iterdir()) == []


def test_an_order_of_its_own_is_said_where_columns_stand_beside_it(fit):
    data = ORDERED.shuffle(INSTANCES, seed=1, reshuffle_each_iteration=False).batch(5)
    order = np.concatenate([y for _, y in data.as_numpy_iterator()])
    texts = [f"{label} at {position}" for position, label in enumerate(order)]
    with pytest.warns(UserWarning, match="x is shuffled, once for all passes: attributes are taken in the order in"):
        readers = fit(data, attributes={"text": texts})
    for reader in readers:
        assert [int(text.split()[0]) for text in texts_of(reader)] == reader.sample().label.tolist()


def test_batches_that_are_shuffled_in_themselves_by_a_seed_too(fit):
    keras.utils.set_random_seed(3)
    data = ORDERED.batch(INSTANCES).map(permuted_in_graph)
    with pytest.warns(UserWarning, match="x is shuffled, once for all passes"):
        fit(data, epochs=1, ids=np.arange(INSTANCES))


@pytest.mark.parametrize("name", ["shuffle", "PyDataset", "DataLoader", "iterable", "generator"])
def test_shuffled_data_without_columns_has_the_same_instances_under_the_same_ids(fit, name):
    first, second = fit(CHANGING[name]())
    assert first.manifest.instances == second.manifest.instances == INSTANCES
    assert hidden_by_id(first) == hidden_by_id(second)
    assert len(hidden_by_id(first)) == INSTANCES
    assert "0" not in first.sample().ids


def test_an_order_that_changes_later_leaves_instances_without_columns_unmatched(fit):
    first, second, third = fit(Generated(10), epochs=3)
    assert set(first.sample().ids) == set(map(str, range(INSTANCES)))
    assert not set(first.sample().ids) & set(second.sample().ids)
    assert hidden_by_id(second) == hidden_by_id(third)


def test_columns_that_come_with_the_data_stand_at_their_instances_in_any_order(fit):
    for reader in fit(WITH_TEXTS.shuffle(INSTANCES).batch(5)):
        check_texts(reader)


def test_ids_that_come_with_the_data_too(fit):
    data = tf.data.Dataset.from_tensor_slices((X, Y, {"text": TEXTS}, np.arange(INSTANCES))).shuffle(INSTANCES).batch(5)
    for reader in fit(data):
        check_texts(reader)
        positions = [int(text.rpartition(" ")[2]) for text in texts_of(reader)]
        assert [int(identity) for identity in reader.sample().ids] == positions


def test_columns_come_from_one_place(fit):
    with pytest.raises(ArgumentError, match="attributes: got ids beside data that brings its own; expected one or"):
        fit(WITH_TEXTS.batch(5), ids=np.arange(INSTANCES))


class Unfaithful:
    """Keeps its order until `keep` passes are done, whatever is looked at before the training."""

    def __init__(self, keep, changed):
        self.passes, self.keep, self.changed = 0, keep, changed

    def __len__(self):
        return 1

    def __iter__(self):
        self.passes += 1
        order = np.arange(INSTANCES) if self.passes <= self.keep else self.changed
        yield X[order], Y[order]


ROLLED = np.roll(np.arange(INSTANCES), 1)
WITHIN_CLASSES = np.arange(INSTANCES)
WITHIN_CLASSES[np.flatnonzero(Y == 1)] = np.flatnonzero(Y == 1)[::-1]
CHANGES = {
    "labels": (ROLLED, "another label at position"),
    "inputs": (WITHIN_CLASSES, "the inputs in another order than in the pass before"),
    "fewer": (np.arange(INSTANCES - 1), r'attributes\["text"\]: got 23 values; expected 22'),
}


@pytest.mark.parametrize(("changed", "message"), CHANGES.values(), ids=CHANGES)
def test_a_change_between_epochs_is_noticed_and_nothing_wrong_is_recorded(fit, changed, message):
    data = Unfaithful(5, changed)
    with pytest.warns(RuntimeWarning, match=f"records nothing any more.*{message}"):
        readers = fit(data, epochs=3, strict=False, attributes={"text": TEXTS})
    assert len(readers) == 1
    check_texts(readers[0])


def test_inputs_that_are_augmented_are_no_change_of_order(fit):
    noisy = ORDERED.map(lambda x, y: (x + tf.random.normal((6, 2)), y)).batch(5)
    for reader in fit(noisy, attributes={"text": TEXTS}):
        check_texts(reader)
