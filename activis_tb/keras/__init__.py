"""The Keras line: record a snapshot at the end of every epoch, on the TensorFlow backend.

model.fit(x, y, callbacks=[keras.callbacks.TensorBoard(logdir), activis_tb.keras.ActivisCallback(logdir, ...)])
"""

from activis_tb.keras.callback import ActivisCallback
from activis_tb.keras.tracing import forward_graph

__all__ = ["ActivisCallback", "forward_graph"]
