/** View A: the computation graph, its key, its search, its size and its source. */

import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { Graph, GraphNode } from "../../contract/activis";
import { type Place, startEngine } from "../../draw/graph_engine";
import { findNodes, type GraphIndex } from "../../draw/graph_tree";
import { sourceKind } from "../../store/graph_order";
import type { GraphSize } from "../../store/url_state";
import { isColumn, useTab } from "../../ui/context";
import { Picker, Problem } from "../../ui/controls";
import { deferred } from "../../ui/deferred";
import { Icon, LayerGlyph } from "../../ui/glyphs";
import { GraphCanvas } from "./canvas";
import { attendedNode, Readout } from "./readout";
import { createSession, type GraphSession } from "./session";
import { neededHeight } from "./zoom";

const NodeCard = deferred(async () => (await import("./card")).NodeCard);

export function Key({ graph }: { graph: Graph }) {
  const has = (found: (node: Graph["nodes"][number]) => boolean) => graph.nodes.some(found);
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
      {has((node) => node.layer_candidates.length > 0) && (
        <li>
          <i class="key-tensor ambiguous">?</i>
          perhaps
        </li>
      )}
      <li>
        <i class="layer-glyph" />
        open
      </li>
      {has((node) => node.kind === "group") && (
        <li>
          <i class="key-group" />
          group
        </li>
      )}
    </ul>
  );
}

/** In a page of one column there is the bar or the whole graph; beside a layer that is shown alone, its path or more. */
export function useGraphSize(): Exclude<GraphSize, ""> | "path" {
  const { graphSize, neuron } = useTab().urlState;
  const size = graphSize.value;
  const isAlone = useIsAlone();
  if (isColumn.value) return size === "tall" ? "tall" : "slim";
  if (isAlone && (size === "" || size === "slim")) return "path";
  // A neuron's card has its room.
  return size || (neuron.value === "" ? "normal" : "slim");
}

/** Whether one layer is shown alone. */
const useIsAlone = (): boolean => {
  const { comparing, urlState } = useTab();
  return urlState.maximised.value !== "" && !comparing.active.value;
};

function SizeButtons() {
  const { graphSize, neuron } = useTab().urlState;
  const size = useGraphSize();
  const hasCard = neuron.value !== "";
  const isLent = useIsAlone() || hasCard;
  const set = (next: GraphSize) => () => {
    graphSize.value = next;
  };
  return (
    <span class="size-buttons">
      {size !== "slim" && !isColumn.value && (
        <button
          type="button"
          class="quiet"
          data-testid="tall-graph"
          aria-pressed={size === "tall"}
          aria-label="Give the graph more room"
          title={size === "tall" ? "Give the panels their room back" : "Give the graph more room"}
          onClick={set(size !== "tall" ? "tall" : isLent ? "normal" : "")}
        >
          <Icon name={size === "tall" ? "restore" : "maximise"} />
        </button>
      )}
      <button
        type="button"
        class="quiet"
        data-testid="slim-graph"
        aria-expanded={size !== "slim"}
        aria-label="Show the graph"
        title={size === "slim" ? "Show the graph" : "Shrink the graph to a bar"}
        onClick={set(
          size === "slim"
            ? isColumn.value
              ? "tall"
              : hasCard
                ? "normal"
                : ""
            : isColumn.value || isLent
              ? ""
              : "slim",
        )}
      >
        <Icon name={size === "slim" ? "down" : "up"} />
      </button>
    </span>
  );
}

function SourcePicker({ graph, session }: { graph: Graph; session: GraphSession }) {
  const { graphSource } = useTab().urlState;
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
          title="Draw all control edges: what runs before what. Otherwise only those of the node under the pointer are drawn."
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

interface FindNodeProperties {
  index: GraphIndex;
  /** Called with the match to show, null for none. */
  onFind: (node: GraphNode | null) => void;
}

function FindNode({ index, onFind }: FindNodeProperties) {
  const input = useRef<HTMLInputElement>(null);
  const text = useSignal("");
  const step = useSignal(0);
  const matches = findNodes(index, text.value);
  useSlashKey(input);

  const show = (position: number, among: readonly GraphNode[]) => {
    step.value = among.length > 0 ? (position + among.length) % among.length : 0;
    onFind(among[step.value] ?? null);
  };
  return (
    <span class="find-node">
      <input
        ref={input}
        type="search"
        data-testid="find-node"
        placeholder="Find node"
        aria-label="Find a node of the graph"
        aria-keyshortcuts="/"
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          show(0, findNodes(index, text.value));
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") show(step.value + (event.shiftKey ? -1 : 1), matches);
          if (event.key !== "Escape") return;
          text.value = "";
          show(0, []);
          event.currentTarget.blur();
        }}
      />
      <small aria-live="polite">{text.value === "" ? <kbd>/</kbd> : countOf(matches.length, step.value)}</small>
    </span>
  );
}

const countOf = (matches: number, step: number): string => (matches === 0 ? "none" : `${step + 1} of ${matches}`);

/** A slash leads to the field, unless something is being typed elsewhere. */
function useSlashKey(input: { current: HTMLInputElement | null }): void {
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      const typing = (event.target as Element).closest?.(
        "input:not([type=range]), select, textarea, [contenteditable]",
      );
      if (event.key !== "/" || typing || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      input.current?.select();
    };
    document.addEventListener("keydown", focus);
    return () => document.removeEventListener("keydown", focus);
  }, [input]);
}

interface UnplacedLayersProperties {
  /** Null where it is not in sight: then no layer has a place. */
  graph: Graph | null;
  title: string;
}

function UnplacedLayers({ graph, title }: UnplacedLayersProperties) {
  const { catalogue, urlState, toggleLayer } = useTab();
  const placed = new Set(graph?.nodes.map((node) => node.layer));
  const unplaced = catalogue.snapshot.value?.layers.filter((layer) => !placed.has(layer.name)) ?? [];
  if (unplaced.length === 0) return null;
  return (
    <span class="unplaced">
      {title}
      {unplaced.map(({ name }) => {
        const selected = urlState.layers.value.includes(name);
        return (
          <button
            key={name}
            type="button"
            data-testid="graph-tensor"
            data-layer={name}
            data-selected={String(selected)}
            aria-pressed={selected}
            title={name}
            onClick={() => toggleLayer(name)}
          >
            {selected ? <LayerGlyph /> : <i class="key-tensor recorded" />}
            <span>{name}</span>
          </button>
        );
      })}
    </span>
  );
}

export function GraphView() {
  const { graph } = useTab();
  const place = useMemo(() => startEngine(), []);
  const state = graph.state.value;
  const size = useGraphSize();
  const slim = size === "slim";
  const needed = useSignal(0);
  return (
    <section
      class={`card graph ${size}`}
      style={{ "--picture": `${needed.value}px` }}
      data-testid="graph"
      aria-label="Computation graph"
    >
      {state.value && !slim ? (
        <LoadedGraph graph={state.value} place={place} needed={needed} />
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
  const { graphSource } = useTab().urlState;
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

const ChosenNode = ({ session }: { session: GraphSession }) => session.chosen.value && <NodeCard session={session} />;

interface LoadedGraphProperties {
  graph: Graph;
  place: Place;
  /** Is told how tall the picture is to be, in pixels. */
  needed: Signal<number>;
}

function LoadedGraph({ graph, place, needed }: LoadedGraphProperties) {
  const session = useSession(graph, place);
  const shown = session.shown.value;
  useLayoutEffect(() => {
    // What is opened later moves nothing else.
    if (shown?.aim.kind === "fit") needed.value = neededHeight(shown.placed);
  }, [shown]);
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
      <ChosenNode session={session} />
    </>
  );
}
