"""PyTorch integration: outputs of chosen modules, captured while a model runs, without a change to the model.

with activis_tb.torch.capture(model, ["fc1"]) as captured:
    scores = model(x).softmax(1)
    snapshot.process(labels=y, scores=scores, activations=captured.activations)

`positions` returns which instances a loader gives to one of several workers, and which of them are padding.
"""

from activis_tb.torch.capture import Capture, capture
from activis_tb.torch.samplers import Positions, positions

__all__ = ["Capture", "Positions", "capture", "positions"]
