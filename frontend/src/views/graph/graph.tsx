/** View A: the model's computation graph, where recorded tensors are opened. */

import { type ReadonlySignal, signal, useComputed } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { Graph, GraphNode } from "../../contract/activis";
import { layoutGraph, shapeText } from "../../draw/graph_layout";
import { groupsOfRecorded, openTowards, shownFor, visibleGraph } from "../../draw/graph_tree";
import { Problem } from "../widgets/controls";
import { Icon } from "../widgets/glyphs";
import { countText } from "../widgets/numbers";
import { useStore } from "../widgets/store";
import { FindNode } from "./find_node";
import { GraphPicture } from "./picture";
import { UnplacedLayers } from "./unplaced";
import { useZoom, type Zoom } from "./zoom";

/** What the pointer or the last click is on, shown where the counts stand otherwise. */
interface Attention {
  hovered: GraphNode | null;
  clicked: GraphNode | null;
}

export function GraphView() {
  const { durable, graph } = useStore();
  const state = graph.state.value;
  const slim = durable.slimGraph.value;
  return (
    <section class={slim ? "card graph slim" : "card graph"} data-testid="graph" aria-label="Computation graph">
      {state.value && !slim ? (
        <LoadedGraph graph={state.value} />
      ) : (
        <>
          <header>
            <h2>Computation graph</h2>
            {slim && <UnplacedLayers graph={null} title="recorded:" />}
            {!slim && state.status === "error" && <UnplacedLayers graph={null} title="not in the graph:" />}
            <SlimButton />
          </header>
          {!slim && <MissingGraph sentence={state.status === "error" ? state.message : null} />}
        </>
      )}
    </section>
  );
}

const MissingGraph = ({ sentence }: { sentence: string | null }) =>
  sentence === null ? <p class="waiting">Loading the graph…</p> : <Problem sentence={sentence} />;

function SlimButton() {
  const { durable } = useStore();
  const slim = durable.slimGraph.value;
  return (
    <button
      type="button"
      class="quiet slim-button"
      data-testid="slim-graph"
      aria-expanded={!slim}
      aria-label="Show the graph"
      title={slim ? "Show the graph" : "Shrink the graph to a bar"}
      onClick={() => {
        durable.slimGraph.value = !slim;
      }}
    >
      <Icon name={slim ? "down" : "up"} />
    </button>
  );
}

function LoadedGraph({ graph }: { graph: Graph }) {
  const attention = useMemo(() => signal<Attention>({ hovered: null, clicked: null }), []);
  const opened = useMemo(() => signal<ReadonlySet<string>>(groupsOfRecorded(graph)), [graph]);
  const found = useMemo(() => signal<GraphNode | null>(null), [graph]);
  const open = opened.value;
  const placed = useMemo(() => layoutGraph(visibleGraph(graph, open)), [graph, open]);
  const svg = useRef<SVGSVGElement>(null);
  const zoom = useZoom(svg, placed.bounds);
  const toggleGroup = (id: string) => {
    const next = new Set(open);
    if (!next.delete(id)) next.add(id);
    opened.value = next;
  };
  const find = (node: GraphNode | null) => {
    const shown = node && shownFor(graph, node);
    if (shown) opened.value = openTowards(graph, opened.peek(), shown);
    found.value = shown;
    attention.value = { hovered: node, clicked: null };
  };
  useLayoutEffect(() => {
    const place = placed.nodes.find(({ visible }) => visible.node.id === found.value?.id);
    if (place) zoom.centre(place.x, place.y);
  }, [found.value, placed]);
  return (
    <>
      <header>
        <h2>Computation graph</h2>
        <Readout graph={graph} attention={attention.value} />
        <UnplacedLayers graph={graph} title="not in the graph:" />
        <Key />
        <FindNode graph={graph} onFind={find} />
        <ZoomButtons zoom={zoom} />
        <SlimButton />
      </header>
      <svg ref={svg} class="graph-canvas" aria-label="Graph, left to right">
        <Zoomed transform={zoom.transform}>
          <GraphPicture
            placed={placed}
            found={found.value?.id ?? null}
            onToggleGroup={toggleGroup}
            onHover={(hovered) => {
              const { clicked } = attention.peek();
              attention.value = { hovered, clicked: hovered && hovered !== clicked ? null : clicked };
            }}
            onClick={(clicked) => {
              attention.value = { ...attention.peek(), clicked };
            }}
          />
        </Zoomed>
      </svg>
    </>
  );
}

/** Moves what it holds without drawing it again. */
function Zoomed({ transform, children }: { transform: ReadonlySignal<string>; children: ComponentChildren }) {
  return <g transform={transform.value}>{children}</g>;
}

function ZoomButtons({ zoom }: { zoom: Zoom }) {
  return (
    <span class="button-group">
      <button type="button" aria-label="Zoom out" onClick={() => zoom.by(1 / 1.4)}>
        <Icon name="minus" />
      </button>
      <button type="button" aria-label="Zoom in" onClick={() => zoom.by(1.4)}>
        <Icon name="plus" />
      </button>
      <button type="button" aria-label="Fit the graph" onClick={zoom.fit}>
        <Icon name="fit" />
      </button>
    </span>
  );
}

function Readout({ graph, attention }: { graph: Graph; attention: Attention }) {
  const { durable, hover } = useStore();
  const located = useComputed(() => hover.value?.node ?? null).value;
  const { clicked } = attention;
  if (clicked && clicked.kind === "tensor" && clicked.layer === "")
    return <RecordingAdvice graph={graph} tensor={clicked} />;
  const node = attention.hovered ?? graph.nodes.find((candidate) => candidate.id === located) ?? null;
  if (node) return <p class="graph-readout">{describe(node, durable.layers.value.includes(node.layer))}</p>;
  const count = (kind: string) => graph.nodes.filter((candidate) => candidate.kind === kind).length;
  const recorded = graph.nodes.filter((candidate) => candidate.layer !== "").length;
  const note = graph.source === "layers" ? "no graph was recorded: the layers, in order" : "";
  return (
    <p class="graph-readout" title={graph.warnings.join("\n")}>
      {note ||
        `${countText(count("operator"))} operators · ${recorded} of ${countText(count("tensor"))} tensors recorded`}
      {` · ${durable.layers.value.length} open`}
      {graph.warnings.length > 0 && ` · ${graph.warnings[0]}`}
    </p>
  );
}

function RecordingAdvice({ graph, tensor }: { graph: Graph; tensor: GraphNode }) {
  return (
    <p class="graph-readout">
      Not recorded. To record it, add <code>"{recordableName(graph, tensor)}"</code> to <code>layers=</code>.
    </p>
  );
}

function describe(node: GraphNode, open: boolean) {
  const facts =
    {
      tensor: [
        shapeText(node.shape, node.has_shape),
        node.dtype,
        node.layer !== "" ? (open ? "open, click closes its panel" : "recorded, click opens its panel") : "",
      ],
      operator: [node.operator, node.device],
      group: [node.operator, "click opens or closes it"],
    }[node.kind] ?? [];
  return (
    <>
      <b>{node.full_name || node.name}</b>
      {[node.parameter ? "parameter" : "", ...facts].filter((fact) => fact !== "").map((fact) => ` · ${fact}`)}
    </>
  );
}

/** The layer that a user would name to record a tensor: the innermost group that makes it, else its operator. */
function recordableName(graph: Graph, tensor: GraphNode): string {
  const maker = graph.edges.find((edge) => edge.target === tensor.id)?.source;
  const operator = graph.nodes.find((node) => node.id === maker);
  const group = graph.nodes.find((node) => node.id === operator?.parent);
  return group?.name ?? operator?.name ?? tensor.name;
}

function Key() {
  return (
    <ul class="graph-key" aria-label="Signs">
      <li>
        <i class="key-operator" />
        operator
      </li>
      <li>
        <i class="key-tensor" />
        tensor
      </li>
      <li>
        <i class="key-tensor recorded" />
        recorded
      </li>
      <li>
        <i class="layer-glyph" />
        open
      </li>
      <li>
        <i class="key-group" />
        group
      </li>
    </ul>
  );
}
