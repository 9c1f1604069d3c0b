"""Small PyTorch models and data for tests."""

import numpy as np
import torch
from torch import nn

CLASSES = ("red", "green", "blue")
INSTANCES = 11
PICTURES = torch.tensor(np.random.default_rng(3).normal(size=(INSTANCES, 1, 6, 5)), dtype=torch.float32)
LABELS = np.random.default_rng(4).integers(0, 3, INSTANCES)


class Residual(nn.Module):
    """Convolutions with a skip; `relu` is called twice, the steps of `lstm` come first."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Dropout(0.5))
        self.relu = nn.ReLU()
        self.lstm = nn.LSTM(4, 3)
        self.fc1 = nn.Linear(3, 2)
        self.fc2 = nn.Linear(2, 3)

    def forward(self, pictures):
        maps = self.features(pictures)
        maps = maps + self.relu(maps)
        steps, _ = self.lstm(maps.mean(2).permute(2, 0, 1))
        return self.fc2(self.relu(self.fc1(steps[-1])))


def residual():
    torch.manual_seed(5)
    return Residual().eval()


def outputs(model, name, inputs=PICTURES):
    """What the module `name` returns in every call of one pass, as PyTorch itself tells."""
    seen = []
    hook = model.get_submodule(name).register_forward_hook(lambda module, given, output: seen.append(output))
    with torch.no_grad():
        model(inputs)
    hook.remove()
    return seen
