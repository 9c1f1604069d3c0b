/** All there is to know of the node that was clicked; for a tensor that is not recorded, how to record it. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { GraphNode } from "../../contract/activis";
import { type Framework, recordingAdvice } from "../../state/recording_advice";
import { copyText } from "../../ui/clipboard";
import { useStore } from "../../ui/context";
import { Icon } from "../../ui/glyphs";
import { factsOf } from "./facts";
import type { GraphSession } from "./session";

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
  const { toggleLayer } = useStore();
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
  const { catalogue } = useStore();
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
