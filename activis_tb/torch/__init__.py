"""The PyTorch lines: what chosen modules return while a model runs, without a change to the model.

with activis_tb.torch.capture(model, ["fc1"]) as captured:
    scores = model(x).softmax(1)
    snapshot.process(labels=y, scores=scores, activations=captured.activations)
"""

from activis_tb.torch.capturing import Capture, capture

__all__ = ["Capture", "capture"]
