/** Readout of the graph: the node under the pointer, and the groups around it. */

import { Fragment } from "preact";
import type { Graph, GraphNode } from "../../contract/activis";
import { groupTitle } from "../../draw/graph_layout";
import { groupsAround } from "../../draw/graph_tree";
import { sourceKind } from "../../store/graph_order";
import { useTab } from "../../ui/context";
import { countText } from "../../ui/numbers";
import { summaryOf } from "./facts";
import { healthText } from "./nodes";
import type { GraphSession } from "./session";

/** The node that is told about, which the key to the signs makes room for. */
export function attendedNode(session: GraphSession): GraphNode | null {
  const located = session.located.value;
  const { graph } = session;
  return session.hovered.value ?? session.chosen.value ?? graph.nodes.find((node) => node.id === located) ?? null;
}

export function Readout({ session }: { session: GraphSession }) {
  const node = attendedNode(session);
  if (session.busy.value) return <p class="graph-readout">Laying out…</p>;
  return node ? <NodeReadout session={session} node={node} /> : <Counts session={session} />;
}

function NodeReadout({ session, node }: { session: GraphSession; node: GraphNode }) {
  const { urlState, layerHealth } = useTab();
  const health = layerHealth.states.value.get(node.layer)?.value;
  const click =
    node.layer === "" ? "" : urlState.layers.value.includes(node.layer) ? "click closes it" : "click opens it";
  const facts = [summaryOf(session.index, node), health ? healthText(health) : "", click].filter(Boolean).join(" · ");
  return (
    <p
      class="graph-readout"
      data-testid="graph-readout"
      title={`${node.full_name || node.name} · ${facts}`}
      onPointerEnter={session.hold}
      onPointerLeave={() => session.point(null)}
    >
      <Breadcrumb session={session} node={node} />
      <b>{node.kind === "group" ? groupTitle(node) : node.name}</b> · {facts}
    </p>
  );
}

function Breadcrumb({ session, node }: { session: GraphSession; node: GraphNode }) {
  const groups = groupsAround(session.index, session.index.positions.get(node.id) ?? -1);
  return (
    <>
      {groups.map((group) => (
        <Fragment key={group.id}>
          <button type="button" class="crumb" data-testid="graph-crumb" onClick={() => session.show(group)}>
            {groupTitle(group)}
          </button>
          {" › "}
        </Fragment>
      ))}
    </>
  );
}

function Counts({ session: { graph } }: { session: GraphSession }) {
  const { urlState } = useTab();
  const count = (kind: string) => graph.nodes.filter((node) => node.kind === kind).length;
  const recorded = graph.nodes.filter((node) => node.layer !== "").length;
  const counts = `${countText(count("operator"))} operators · ${recorded} of ${countText(count("tensor"))} tensors recorded`;
  return (
    <p class="graph-readout" title={graph.warnings.join("\n")}>
      {sourceKind(graph) === "layers" ? layersSentence(graph) : counts}
      {` · ${urlState.layers.value.length} open`}
      {graph.warnings.length > 0 && (
        <span class="graph-warning" data-testid="graph-warning">
          {" · ▲ "}
          {graph.warnings[0]}
          {graph.warnings.length > 1 && ` (and ${graph.warnings.length - 1} more)`}
        </span>
      )}
    </p>
  );
}

const layersSentence = ({ sources }: Graph): string =>
  sources.length === 1 ? "no graph was recorded: the layers, in order" : "no graph: the recorded layers, in order";
