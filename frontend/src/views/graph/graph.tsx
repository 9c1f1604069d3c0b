/** View A: the model's computation graph, where recorded tensors are opened. */

import { useMemo, useRef } from "preact/hooks";
import type { Graph } from "../../contract/activis";
import { type Place, startEngine } from "../../draw/graph_engine";
import { useStore } from "../../ui/context";
import { Problem } from "../../ui/controls";
import { GraphCanvas } from "./canvas";
import { NodeCard } from "./card";
import { FindNode } from "./find_node";
import { Key } from "./key";
import { attendedNode, Readout } from "./readout";
import { createSession, type GraphSession } from "./session";
import { SizeButtons } from "./size_buttons";
import { SourcePicker } from "./source_picker";
import { UnplacedLayers } from "./unplaced";

export function GraphView() {
  const { durable, graph } = useStore();
  const place = useMemo(() => startEngine(), []);
  const state = graph.state.value;
  const size = durable.graphSize.value;
  const slim = size === "slim";
  return (
    <section class={`card graph ${size}`} data-testid="graph" aria-label="Computation graph">
      {state.value && !slim ? (
        <LoadedGraph graph={state.value} place={place} />
      ) : (
        <>
          <header>
            <h2>Computation graph</h2>
            {slim && <UnplacedLayers graph={null} title="recorded:" />}
            {!slim && state.status === "error" && <UnplacedLayers graph={null} title="not in the graph:" />}
            <SizeButtons />
          </header>
          {!slim && <MissingGraph sentence={state.status === "error" ? state.message : null} />}
        </>
      )}
    </section>
  );
}

function MissingGraph({ sentence }: { sentence: string | null }) {
  const { graphSource } = useStore().durable;
  if (sentence === null) return <p class="waiting">Loading the graph…</p>;
  if (graphSource.value === "") return <Problem sentence={sentence} />;
  const forget = () => {
    graphSource.value = "";
  };
  return <Problem sentence={sentence} retry={forget} />;
}

/** A newer graph of the same source is looked at where the older one was left. */
function useSession(graph: Graph, place: Place): GraphSession {
  const before = useRef<GraphSession | null>(null);
  return useMemo(() => {
    const open = before.current?.graph.source === graph.source ? before.current.open() : undefined;
    before.current = createSession(graph, place, open);
    return before.current;
  }, [graph, place]);
}

function LoadedGraph({ graph, place }: { graph: Graph; place: Place }) {
  const session = useSession(graph, place);
  const shown = session.shown.value;
  return (
    <>
      <header>
        <h2>Computation graph</h2>
        <Readout session={session} />
        <UnplacedLayers graph={graph} title="not in the graph:" />
        {attendedNode(session) === null && <Key graph={graph} />}
        <SourcePicker graph={graph} session={session} />
        <FindNode index={session.index} onFind={session.show} />
        <SizeButtons />
      </header>
      {shown ? <GraphCanvas key={graph.source} session={session} shown={shown} /> : <p class="waiting">Laying out…</p>}
      <NodeCard session={session} />
    </>
  );
}
