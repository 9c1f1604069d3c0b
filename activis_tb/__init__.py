"""Recording of a classifier's activations, to be explored in TensorBoard's ACTIVIS tab.

Everything here is loaded on first use, because TensorBoard imports this package when it starts.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import activis_tb.keras as keras
    import activis_tb.subsets as subsets
    import activis_tb.summary as summary
    import activis_tb.torch as torch
    from activis_tb.errors import ActivisError as ActivisError
    from activis_tb.model import LayerSpec as LayerSpec
    from activis_tb.recording.api import preprocess as preprocess
    from activis_tb.recording.media import Audio as Audio

__all__ = ["ActivisError", "Audio", "LayerSpec", "keras", "preprocess", "subsets", "summary", "torch"]
__version__ = "0.1.0"

_HOME = {
    "ActivisError": "activis_tb.errors",
    "LayerSpec": "activis_tb.model",
    "Audio": "activis_tb.recording.media",
    "preprocess": "activis_tb.recording.api",
}
_MODULES = ("keras", "subsets", "summary", "torch")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"activis_tb.{name}")
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    message = f"module 'activis_tb' has no attribute {name!r}; public names: {', '.join(__all__)}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted(__all__)
