"""Context of a request: its parameters, and the snapshots that they name, resolved lazily."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from tensorboard import plugin_util
from werkzeug.wrappers import Request, Response

from activis_tb.plugin.http import NotFoundError, Parameters
from activis_tb.plugin.snapshots import JoinedSnapshot, Snapshots


@dataclass(frozen=True, eq=False)
class Context:
    """One request for data; the only argument of a handler.

    Attributes:
        request: The HTTP request.
        snapshots: Of all experiments.
    """

    request: Request
    snapshots: Snapshots

    @cached_property
    def parameters(self) -> Parameters:
        return Parameters(self.request.args)

    @cached_property
    def experiment(self) -> str:
        """TensorBoard's name of the log directory; empty where it serves one."""
        return str(plugin_util.experiment_id(self.request.environ))

    @cached_property
    def snapshot(self) -> JoinedSnapshot:
        """The snapshot of `run`, `name` and `step`; see `find` for errors."""
        return self.find()

    def find(self, prefix: str = "") -> JoinedSnapshot:
        """Returns the snapshot of `run`, `name` and `step`, or of the parameters with `prefix` before their names.

        Raises:
            ArgumentError: One of the parameters is missing or cannot be read.
            NotFoundError: There is no such run, recording or step.
            StoredDataError: All its sessions are damaged or written by a newer activis-tb.
        """
        return self.snapshots.get(self.experiment, self.parameters.snapshot(prefix))

    def steps(self, snapshot: JoinedSnapshot) -> list[JoinedSnapshot]:
        """Returns the readable snapshots of the run and name of `snapshot`, by step."""
        found, _ = self.snapshots.all(self.experiment, snapshot.key.run)
        return [other for other in found if other.key.name == snapshot.key.name]

    def row(self, rows: int) -> int:
        """Returns the parameter `row`; raises NotFoundError unless it is one of `rows` rows."""
        row = self.parameters.integer("row")
        if not 0 <= row < rows:
            raise NotFoundError("row", row, way_out=f"Rows are 0 to {rows - 1}.")
        return row

    def neuron(self) -> tuple[str, int]:
        """Returns the parameters `layer` and `neuron`; raises NotFoundError unless the snapshot has them."""
        layer = self.snapshot.layer(self.parameters.text("layer"))
        neuron = self.parameters.integer("neuron")
        if not 0 <= neuron < layer.neurons:
            raise NotFoundError(
                f"neuron of layer {layer.name!r}", neuron, way_out=f"Neurons are 0 to {layer.neurons - 1}."
            )
        return layer.name, neuron


Handler = Callable[[Context], Response]
"""Answers a route; what it raises, `Routes.answer` turns into a sentence."""
