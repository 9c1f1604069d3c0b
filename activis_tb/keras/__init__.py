"""Keras integration: a snapshot at the end of every epoch, or of a trained model, on every back end of Keras 3.

model.fit(x, y, callbacks=[keras.callbacks.TensorBoard(logdir), activis_tb.keras.ActivisCallback(logdir, ...)])
activis_tb.keras.record(model, (x, y), logdir, ...)
"""

from activis_tb.keras.callback import ActivisCallback
from activis_tb.keras.graph import forward_graph
from activis_tb.keras.record import record

__all__ = ["ActivisCallback", "forward_graph", "record"]
