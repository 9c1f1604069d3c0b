/** Health of a layer in a line of meters; over how many instances each is stands in its title. */
import type { LayerHealth } from "../../contract/activis";
import { accuracyOf } from "../../store/judgement";
import type { LayerStore } from "../../store/layer";
import type { SnapshotStore } from "../../store/snapshot";
import { useSnapshot } from "../../ui/context";
import { countText, percentText } from "../../ui/numbers";
import { isOutputLayer } from "./matrix_context";

export function Health({ layer }: { layer: LayerStore }) {
  const store = useSnapshot();
  const { status, value } = layer.health.state.value;
  if (status === "error") return null;
  if (!value) return <WaitingHealth />;
  return (
    <div class="health" data-testid="health">
      <Nonfinite health={value} />
      {[...factsOf(store, layer, value), separation(layer)].map((fact) => fact && <Meter key={fact.title} {...fact} />)}
    </div>
  );
}

/** How far the classes are apart on the activations; the definitions stand in the title. */
function separation(layer: LayerStore): Fact | null {
  const overall = layer.separation.state.value.value?.overall;
  if (!overall || overall.silhouette_over === 0) return null;
  const { silhouette, silhouette_over, purity } = overall;
  const neighbours = layer.separation.state.value.value?.neighbours ?? 0;
  const title =
    `How far apart the classes are in this layer, ${over(silhouette_over)}. Silhouette ${signedText(silhouette)}: mean of ` +
    "(b − a) / max(a, b), a an instance's mean distance to its own class, b to the nearest other (Rousseeuw 1987), " +
    `from −1 to 1. Purity ${percentText(purity)}: of an instance's ${neighbours} nearest, those of its class.`;
  return { title, text: `silhouette ${signedText(silhouette)}`, share: silhouette, testId: "separation" };
}

const signedText = (value: number): string => value.toFixed(2).replace("-", "−");

/** How far the classes are apart, and then as much of the rest as a line holds, where there is no room for meters. */
export function HealthLine({ layer }: { layer: LayerStore }) {
  const store = useSnapshot();
  const { value } = layer.health.state.value;
  if (!value) return null;
  const facts = [separation(layer), ...factsOf(store, layer, value).slice(0, 2)].filter((fact) => fact !== null);
  return (
    <span class="health-line" data-testid="health" title={facts.map(({ title }) => title).join("\n")}>
      {facts.map(({ text }) => text).join(" · ")}
    </span>
  );
}

function factsOf(store: SnapshotStore, layer: LayerStore, health: LayerHealth): Fact[] {
  const first = isOutputLayer(store, layer) ? accuracy(store) : dead(health);
  return [first, rank(health), zeros(health)].filter((fact) => fact !== null);
}

/** Bars where the meters will stand. */
const WaitingHealth = () => (
  <div class="health" aria-hidden="true">
    <i class="bone" />
    <i class="bone" />
    <i class="bone short" />
  </div>
);

interface Fact {
  title: string;
  text: string;
  share: number;
  bad?: boolean;
  testId?: string;
}

function Meter({ title, text, share, bad = false, testId }: Fact) {
  return (
    <p title={title} data-testid={testId}>
      {text}
      <span class="meter">
        <i class={bad ? "bad" : ""} style={{ width: `${100 * Math.min(1, Math.max(0, share))}%` }} />
      </span>
    </p>
  );
}

const over = (instances: number) => `over ${countText(instances)} ${instances === 1 ? "instance" : "instances"}`;

function accuracy(store: SnapshotStore): Fact | null {
  const { count, share } = accuracyOf(store.snapshot.value);
  if (count === 0) return null;
  const title = `Share of instances whose predicted class is the true one, ${over(count)}`;
  return { title, text: `${percentText(share, 1)} correct`, share };
}

function dead({ dead: count, dead_over, neurons }: LayerHealth): Fact {
  const title = `Neurons that are exactly zero for every instance: ${countText(count)} of ${countText(neurons)}, ${over(dead_over)}`;
  const text = `${countText(count)} dead`;
  return { title, text, share: count / neurons, bad: count > 0 };
}

function rank({ effective_rank, effective_rank_over, neurons }: LayerHealth): Fact | null {
  if (effective_rank_over === 0) return null;
  const title =
    "Effective rank: along how many directions the activations vary: exp of the entropy of their singular values " +
    `(Roy and Vetterli 2007), ${over(effective_rank_over)}`;
  const shown = effective_rank < 10 ? effective_rank.toFixed(1) : countText(effective_rank);
  return { title, text: `rank ${shown} of ${countText(neurons)}`, share: effective_rank / neurons };
}

function zeros({ zeros: share, zeros_over }: LayerHealth): Fact | null {
  if (zeros_over === 0) return null;
  const title = `Share of activations that are exactly zero, ${over(zeros_over)}`;
  return { title, text: `${percentText(share)} zero`, share };
}

function Nonfinite({ health: { nonfinite, nonfinite_over } }: { health: LayerHealth }) {
  if (nonfinite === 0) return null;
  return (
    <p class="wrong" title={`NaN or infinite activations, left out of the averages; ${over(nonfinite_over)}`}>
      ▲ {countText(nonfinite)} {nonfinite === 1 ? "neuron" : "neurons"} with non-finite values
    </p>
  );
}
