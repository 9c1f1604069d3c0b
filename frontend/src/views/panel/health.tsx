/** How a layer fares, in three meters; what each is told over stands in its title. */

import type { LayerHealth } from "../../contract/activis";
import type { LayerStore } from "../../state/layer";
import { countText, percentText } from "../widgets/numbers";
import { useStore } from "../widgets/store";
import { isOutputLayer } from "./frame";

export function Health({ layer }: { layer: LayerStore }) {
  const store = useStore();
  const health = layer.health.state.value;
  if (health.status === "error") return null;
  if (!health.value) return <WaitingHealth />;
  return (
    <div class="health" data-testid="health">
      {isOutputLayer(store, layer) ? <Accuracy /> : <Dead health={health.value} />}
      <Rank health={health.value} />
      <Zeros health={health.value} />
      <Nonfinite health={health.value} />
    </div>
  );
}

/** Bars where the meters will stand. */
const WaitingHealth = () => (
  <div class="health" aria-hidden="true">
    <i class="bone" />
    <i class="bone" />
    <i class="bone short" />
  </div>
);

interface MeterProperties {
  title: string;
  text: string;
  share: number;
  bad?: boolean;
}

function Meter({ title, text, share, bad = false }: MeterProperties) {
  return (
    <p title={title}>
      {text}
      <span class="meter">
        <i class={bad ? "bad" : ""} style={{ width: `${100 * Math.min(1, Math.max(0, share))}%` }} />
      </span>
    </p>
  );
}

const over = (instances: number) => `over ${countText(instances)} ${instances === 1 ? "instance" : "instances"}`;

function Accuracy() {
  const classes = useStore().catalogue.snapshot.value?.subsets.filter((subset) => subset.kind === "class") ?? [];
  const count = classes.reduce((sum, subset) => sum + subset.count, 0);
  const correct = classes.reduce((sum, subset) => sum + subset.correct, 0);
  if (count === 0) return null;
  const title = `Share of instances whose predicted class is the true one, ${over(count)}`;
  return <Meter title={title} text={`accuracy ${percentText(correct / count, 1)}`} share={correct / count} />;
}

function Dead({ health: { dead, dead_over, neurons } }: { health: LayerHealth }) {
  const title = `Neurons that are exactly zero for every instance, ${over(dead_over)}`;
  const text = `${percentText(dead / neurons)} dead (${countText(dead)} of ${countText(neurons)})`;
  return <Meter title={title} text={text} share={dead / neurons} bad={dead > 0} />;
}

/** From so many neurons on, the whole words no longer fit beside their number. */
const WIDE = 1000;

function Rank({ health: { effective_rank, effective_rank_over, neurons } }: { health: LayerHealth }) {
  if (effective_rank_over === 0) return null;
  const title =
    "Along how many directions the activations vary: exp of the entropy of their singular values " +
    `(Roy and Vetterli 2007), ${over(effective_rank_over)}`;
  const shown = effective_rank < 10 ? effective_rank.toFixed(1) : countText(effective_rank);
  const name = neurons < WIDE ? "effective rank" : "eff. rank";
  return <Meter title={title} text={`${name} ${shown} / ${countText(neurons)}`} share={effective_rank / neurons} />;
}

function Zeros({ health: { zeros, zeros_over } }: { health: LayerHealth }) {
  if (zeros_over === 0) return null;
  const title = `Share of activations that are exactly zero, ${over(zeros_over)}`;
  return <Meter title={title} text={`${percentText(zeros)} zero cells`} share={zeros} />;
}

function Nonfinite({ health: { nonfinite, nonfinite_over } }: { health: LayerHealth }) {
  if (nonfinite === 0) return null;
  return (
    <p class="wrong" title={`NaN or infinite activations, left out of the averages; ${over(nonfinite_over)}`}>
      ▲ {countText(nonfinite)} {nonfinite === 1 ? "neuron" : "neurons"} with non-finite values
    </p>
  );
}
