"""What goes wrong in recording does not end a training, unless that is wanted."""

import keras
import numpy as np
import pytest

import activis_tb
from activis_tb.errors import ArgumentError
from tests.unit.keras.models import CLASSES, X, Y, compiled, snapshots, text_cnn


def failing_from(epoch):
    """A subset whose function fails in this epoch and later; it is tried twice before the training."""
    calls = []

    def subset(batch):
        calls.append(len(batch["label"]))
        if len(calls) > epoch + 2:
            raise RuntimeError("no such luck")
        return batch["score"] > 0.5

    return subset


def trained(logdir, epochs=4, **options):
    """Trains and returns the losses."""
    model = compiled(text_cnn())
    callback = activis_tb.keras.ActivisCallback(logdir, X, Y, layers=["hidden"], classes=CLASSES, **options)
    return model.fit(X, Y, epochs=epochs, shuffle=False, verbose=0, callbacks=[callback]).history["loss"]


def test_an_error_is_warned_of_once_and_the_training_goes_on_as_without_it(tmp_path):
    with pytest.warns(RuntimeWarning, match="records nothing any more, the training goes on") as caught:
        losses = trained(tmp_path / "a", subsets={"sure": failing_from(2)})
    ours = [str(warning.message) for warning in caught if "ActiVis" in str(warning.message)]
    assert len(ours) == 1
    assert "RuntimeError: no such luck" in ours[0]
    assert "strict=True" in ours[0]
    assert sorted(snapshots(tmp_path / "a")) == [0, 1]
    np.testing.assert_allclose(losses, trained(tmp_path / "b"), rtol=1e-6)


def test_a_strict_callback_lets_the_error_through(tmp_path):
    with pytest.raises(RuntimeError, match="no such luck"):
        trained(tmp_path, subsets={"sure": failing_from(1)}, strict=True)
    assert sorted(snapshots(tmp_path)) == [0]


def test_a_log_directory_that_is_lost_meanwhile_does_not_end_the_training(tmp_path):
    class Loss(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            (tmp_path / "activis").write_text("a file where the folder should be")

    model = compiled(text_cnn())
    callback = activis_tb.keras.ActivisCallback(tmp_path, X, Y, layers=["hidden"], classes=CLASSES)
    with pytest.warns(RuntimeWarning, match="records nothing any more"):
        assert len(model.fit(X, Y, epochs=1, verbose=0, callbacks=[Loss(), callback]).epoch) == 1


def test_a_model_whose_outputs_do_not_fit_is_refused_before_the_first_step(tmp_path):
    model = compiled(text_cnn(units=4))
    before = model.get_weights()
    callback = activis_tb.keras.ActivisCallback(tmp_path, X, Y, layers=["hidden"], classes=CLASSES)
    with pytest.raises(ArgumentError, match=r"shape \(None, 4\); expected \(instances, 3\), as classes has 3 names"):
        model.fit(X, Y, verbose=0, callbacks=[callback])
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
