/** Which of the graphs that were found is shown, and whether its control edges are. */
import type { Graph } from "../../contract/activis";
import { sourceKind } from "../../store/graph_order";
import { useStore } from "../../ui/context";
import { Picker } from "../../ui/controls";
import type { GraphSession } from "./session";

export function SourcePicker({ graph, session }: { graph: Graph; session: GraphSession }) {
  const { graphSource } = useStore().durable;
  const { controls } = session;
  // The list of layers is no choice beside a graph that has one of them.
  const others = graph.sources.filter(({ kind }) => kind !== "layers");
  const isWithoutLayers = !graph.nodes.some(({ layer }) => layer !== "");
  const options = graph.sources.map(({ id, label }) => ({ value: id, label }));
  return (
    <>
      {graph.edges.some((edge) => edge.control) && (
        <button
          type="button"
          class="quiet controls-button"
          data-testid="control-edges"
          aria-pressed={controls.value}
          title="Draw every control edge: who waits for whom. Without it, those of the node under the pointer."
          onClick={() => {
            controls.value = !controls.value;
          }}
        >
          control
        </button>
      )}
      {(others.length > 1 || isWithoutLayers || sourceKind(graph) === "layers") && options.length > 1 && (
        <Picker
          label="from"
          value={graph.source}
          options={options}
          onPick={(id) => {
            graphSource.value = id === graph.sources[0]?.id ? "" : id;
          }}
          testId="graph-source"
        />
      )}
    </>
  );
}
