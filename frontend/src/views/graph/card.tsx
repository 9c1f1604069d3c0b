/** Card of a clicked node, with the line that records it where it is not recorded. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Graph, GraphNode } from "../../contract/activis";
import { copyText } from "../../ui/clipboard";
import { useTab } from "../../ui/context";
import { Icon } from "../../ui/glyphs";
import { factsOf } from "./facts";
import type { GraphSession } from "./session";

type Framework = "keras" | "torch" | "tensorflow";

interface Advice {
  /** The framework that the graph's names look like. */
  likely: Framework;
  lines: Record<Framework, string>;
}

const LISTED = 6;

/** `recorded` are the layers that are recorded already; the line keeps them. */
function recordingAdvice(graph: Graph, tensor: GraphNode, recorded: readonly string[]): Advice {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const maker = nodes.get(graph.edges.find((edge) => edge.target === tensor.id && !edge.control)?.source ?? "");
  const groups = groupsAround(nodes, maker ?? tensor);
  const module = modulePath(groups);
  const layer = groups.findLast((group) => group.operator !== "") ?? groups.at(-1);
  const name = layer?.name ?? maker?.name ?? tensor.name;
  return {
    likely: module === "" ? "keras" : "torch",
    lines: {
      keras: `layers=${listOf([...recorded, name])},`,
      torch: `with activis_tb.torch.capture(model, ${listOf([...recorded, module || dotted(groups, name)])}) as captured:`,
      tensorflow: `{${[...recorded, name]
        .slice(-LISTED)
        .map((one) => `${quoted(one)}: ${identifier(one)}`)
        .join(", ")}},`,
    },
  };
}

function groupsAround(nodes: ReadonlyMap<string, GraphNode>, node: GraphNode): GraphNode[] {
  const groups: GraphNode[] = [];
  for (let at = nodes.get(node.parent); at; at = nodes.get(at.parent)) groups.unshift(at);
  return groups.filter((group) => group.repeats === 0);
}

/** PyTorch names a scope `Linear[fc1]`: the type, and the name in the module around it. */
const modulePath = (groups: readonly GraphNode[]): string =>
  groups.flatMap((group) => /\[([^\]]+)\]$/.exec(group.name)?.[1] ?? []).join(".");

const dotted = (groups: readonly GraphNode[], name: string): string =>
  groups.length > 0 ? groups.map((group) => group.name).join(".") : name;

function listOf(names: readonly string[]): string {
  const shown = names.slice(-LISTED).map(quoted);
  return `[${[...(names.length > LISTED ? ["..."] : []), ...shown].join(", ")}]`;
}

const quoted = (name: string): string => JSON.stringify(name);

const identifier = (name: string): string => name.replace(/\W+/g, "_").replace(/^(?=\d)/, "_");

export function NodeCard({ session }: { session: GraphSession }) {
  const node = session.chosen.value;
  useEscape(session);
  if (!node) return null;
  const close = () => {
    session.chosen.value = null;
  };
  return (
    <aside class="node-card" data-testid="node-card" data-unprinted aria-label={`About ${node.name}`}>
      <header>
        <b>{node.name}</b>
        <button type="button" class="quiet" aria-label="Close the card" onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {node.layer_candidates.length > 0 && <Candidates node={node} onChoose={close} />}
      {isRecordable(node) && <HowToRecord key={node.id} session={session} tensor={node} />}
      <dl>
        {factsOf(session.index, node).map(({ name, value }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </aside>
  );
}

const isRecordable = ({ kind, layer, layer_candidates, parameter }: GraphNode) =>
  kind === "tensor" && layer === "" && layer_candidates.length === 0 && !parameter;

function Candidates({ node, onChoose }: { node: GraphNode; onChoose: () => void }) {
  const { toggleLayer } = useTab();
  return (
    <p class="candidates">
      Names leave open which recorded layer this is:
      {node.layer_candidates.map((layer) => (
        <button
          key={layer}
          type="button"
          data-testid="layer-candidate"
          data-layer={layer}
          onClick={() => {
            toggleLayer(layer);
            onChoose();
          }}
        >
          {layer}
        </button>
      ))}
    </p>
  );
}

const FRAMEWORKS: readonly { id: Framework; name: string; where: string }[] = [
  { id: "keras", name: "Keras", where: "of ActivisCallback" },
  { id: "torch", name: "PyTorch", where: "around the model's call" },
  { id: "tensorflow", name: "TensorFlow", where: "of activis_tb.summary.activations" },
];

function HowToRecord({ session, tensor }: { session: GraphSession; tensor: GraphNode }) {
  const { catalogue } = useTab();
  const recorded = catalogue.snapshot.value?.layers.map((layer) => layer.name) ?? [];
  const { likely, lines } = recordingAdvice(session.graph, tensor, recorded);
  const chosen = useSignal<Framework>(likely);
  const copied = useSignal("");
  const line = lines[chosen.value];
  return (
    <section class="how-to-record" data-testid="how-to-record">
      <p>Not recorded. The line that records it, {FRAMEWORKS.find(({ id }) => id === chosen.value)?.where}:</p>
      <span class="segmented">
        {FRAMEWORKS.map(({ id, name }) => (
          <button
            key={id}
            type="button"
            aria-pressed={id === chosen.value}
            onClick={() => {
              chosen.value = id;
            }}
          >
            {name}
          </button>
        ))}
      </span>
      <p class="code-line">
        <code>{line}</code>
        <button
          type="button"
          class="quiet"
          aria-label="Copy the line"
          title={copied.value === line ? "Copied" : "Copy the line"}
          onClick={async () => {
            copied.value = (await copyText(line)) ? line : "";
          }}
        >
          <Icon name="copy" />
        </button>
        <small aria-live="polite">{copied.value === line ? "copied" : ""}</small>
      </p>
    </section>
  );
}

/** Escape closes the card, unless something is being typed. */
function useEscape(session: GraphSession): void {
  useEffect(() => {
    const close = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !(event.target instanceof HTMLInputElement)) session.chosen.value = null;
    };
    document.addEventListener("keydown", close);
    return () => document.removeEventListener("keydown", close);
  }, [session]);
}
