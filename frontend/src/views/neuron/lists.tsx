/** Lists of a neuron's card: the instances that it answers to most and least, and the neurons that vary with it. */

import { useSignal } from "@preact/signals";
import type {
  InstanceColumns,
  NeuronCard,
  NeuronInstance,
  NeuronWords,
  OutputWeight,
  SimilarNeuron,
} from "../../contract/activis";
import { judgementOf, judgementText } from "../../store/judgement";
import type { WordValues } from "../../store/positions";
import { instanceName, instanceRow } from "../../store/rows";
import { firstText } from "../../store/tables";
import { neuronKey } from "../../store/url_state";
import { useClassColours, usePalette, useSnapshot, useTab } from "../../ui/context";
import { Segmented } from "../../ui/controls";
import { ClassDot, InstanceGlyph } from "../../ui/glyphs";
import { leaveHover } from "../../ui/lighting";
import { Thumbnail } from "../../ui/media";
import { alignedText, correlationText, countText, valueText } from "../../ui/numbers";
import { ShadedLegend, ShadedWords, usePositions } from "../../ui/shaded_words";
import { Bones } from "./charts";
import { signedText, wordsText } from "./words";

const SHOWN = 10;

export function NeuronInstances({ value }: { value: NeuronCard | undefined }) {
  const { columns } = useSnapshot();
  const end = useSignal<"strongest" | "weakest">("strongest");
  const isMore = useSignal(false);
  const instances = columns.value;
  const hasWeakest = (value?.weakest.length ?? 0) > 0;
  const chosen = hasWeakest ? end.value : "strongest";
  const all = value?.[chosen] ?? [];
  const shown = isMore.value ? all : all.slice(0, SHOWN);
  const most = Math.max(...all.map((one) => Math.abs(one.value)), 1e-30);
  const kept = usePositions(value?.layer);
  const wordsOf = (row: number) => (value && row >= 0 && kept?.ofNeuron(row, value.neuron)) || null;
  const explained = shown.map(({ row }) => wordsOf(row)).find((one) => one !== null);
  return (
    <section class="neuron-part neuron-instances" aria-label={`${chosen} instances`}>
      <h4>
        {chosen === "strongest" ? "Strongest" : "Weakest"} instances
        {hasWeakest && (
          <Segmented
            label="Instances"
            quiet
            value={chosen}
            options={[
              { value: "strongest", label: "strongest" },
              { value: "weakest", label: "weakest" },
            ]}
            onPick={(picked) => {
              end.value = picked === "weakest" ? "weakest" : "strongest";
            }}
          />
        )}
      </h4>
      {value && instances ? (
        <ol data-testid="neuron-instances">
          {shown.map((one) => (
            <li key={one.index}>
              <ListedInstance one={one} instances={instances} most={most} words={wordsOf(one.row)} />
            </li>
          ))}
        </ol>
      ) : (
        <Bones count={SHOWN} />
      )}
      {value && explained && (
        <p class="hint">
          <ShadedLegend of={explained} name={value.layer} />
        </p>
      )}
      {value && (
        <p class="hint">
          {all.length === 0
            ? `None of ${countText(value.listed)} is above zero.`
            : `Top ${countText(shown.length)} of ${value.listed < value.total ? `${countText(value.listed)} sampled` : `all ${countText(value.listed)}`}.`}
          {all.length > SHOWN && (
            <button
              type="button"
              class="neuron-link"
              onClick={() => {
                isMore.value = !isMore.value;
              }}
            >
              {isMore.value ? "Show fewer" : `Show ${all.length - SHOWN} more`}
            </button>
          )}
        </p>
      )}
    </section>
  );
}

interface ListedProperties {
  one: NeuronInstance;
  instances: InstanceColumns;
  most: number;
  /** What the neuron does at the words of the instance; null where that is not kept. */
  words: WordValues | null;
}

function ListedInstance({ one, instances, most, words }: ListedProperties) {
  const store = useSnapshot();
  const { urlState } = useTab();
  const isSampled = one.row >= 0 && one.row < instances.id.length;
  const content = <InstanceLine one={one} instances={instances} most={most} words={words} isSampled={isSampled} />;
  if (!isSampled) {
    return (
      <span class="neuron-instance" title="Not in the sample: it has no row and no square">
        {content}
      </span>
    );
  }
  const isPinned = urlState.pinned.value.includes(instances.id[one.row] ?? "");
  const hover = () => {
    store.hover.value = { source: "instances", row: instanceRow(instances, one.row) };
  };
  return (
    <button
      type="button"
      class="neuron-instance"
      data-row={one.row}
      aria-pressed={isPinned}
      title={isPinned ? "Click unpins its row" : "Click pins its row"}
      onPointerEnter={hover}
      onPointerLeave={() => leaveHover(store.hover)}
      onFocus={hover}
      onBlur={() => leaveHover(store.hover)}
      onClick={() => store.togglePin(one.row)}
    >
      {content}
    </button>
  );
}

function InstanceLine({ one, instances, most, words, isSampled }: ListedProperties & { isSampled: boolean }) {
  const colours = useClassColours();
  const { snapshot } = useSnapshot();
  const text = isSampled ? firstText(instances, one.row) : one.text;
  const name = isSampled ? instanceName(instances, one.row) : instances.ids_given ? one.id : `#${one.index}`;
  const judgement = judgementOf({ label: [one.label], predicted: [one.predicted] }, 0);
  return (
    <>
      <InstanceGlyph judgement={judgement} colours={colours} />
      <span class="neuron-name" title={name}>
        {name}
      </span>
      <i class="neuron-bar" aria-hidden="true">
        <i style={{ width: `${(100 * Math.abs(one.value)) / most}%` }} />
      </i>
      <b>{alignedText(one.value)}</b>
      <span class="neuron-text" title={text ?? undefined}>
        {isSampled && <Thumbnail row={one.row} />}{" "}
        {words ? <ShadedWords of={words} isLine /> : text || judgementText(judgement, snapshot.value?.classes ?? [])}
      </span>
    </>
  );
}

const MOST_WORDS = 10;
const MOST_SPANS = 5;

/** The words at which the neuron is strongest, and what it saw where it was; a click on a word finds it. */
export function NeuronWordList({ words }: { words: NeuronWords }) {
  const { find } = useTab();
  const shown = words.tokens.slice(0, MOST_WORDS);
  const most = Math.max(...shown.map(({ mean }) => Math.abs(mean)), 1e-30);
  return (
    <section class="neuron-part" aria-label="Words that drive it">
      <h4>
        Words that drive it <span title="Mean activation at the word, and how often it was seen">mean · seen</span>
      </h4>
      <ul class="neuron-words" data-testid="neuron-words">
        {shown.map((one) => (
          <li key={one.text}>
            <button
              type="button"
              class="neuron-word"
              title={`${one.text}: mean ${valueText(one.mean)} at ${countText(one.count)} positions${one.max === undefined ? "" : `, at most ${valueText(one.max)}`}. Finds it among the instances`}
              onClick={() => {
                find.value = one.text;
              }}
            >
              <span class="neuron-text">{one.text}</span>
              <i class="neuron-bar" aria-hidden="true">
                <i style={{ width: `${(100 * Math.abs(one.mean)) / most}%` }} />
              </i>
              <b>{alignedText(one.mean)}</b>
              <small>{countText(one.count)}</small>
            </button>
          </li>
        ))}
      </ul>
      <p class="hint">{wordsText(words)}</p>
      {words.spans.length > 0 && (
        <>
          <h4>Strongest spans</h4>
          <ul class="neuron-words" data-testid="neuron-spans">
            {words.spans.slice(0, MOST_SPANS).map((one) => (
              <li
                key={`${one.id} ${one.position}`}
                class="neuron-span"
                title={`Instance ${one.id}, word ${one.position + 1}`}
              >
                <span class="neuron-text">
                  {one.before} <b>{one.token}</b> {one.after}
                </span>
                <span>{alignedText(one.value)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

/** What the neuron adds to the logits, where these are a linear function of its layer. */
export function OutputWeights({ weights }: { weights: readonly OutputWeight[] }) {
  const names = useSnapshot().snapshot.value?.classes ?? [];
  const colours = useClassColours();
  const [negative, , positive] = usePalette().diverging;
  const most = Math.max(...weights.map(({ weight }) => Math.abs(weight)), 1e-30);
  const others = names.length - weights.length;
  return (
    <section aria-label="Weights to the outputs">
      <h4>
        Weights to the outputs{" "}
        <span title="What one unit of its activation adds to the logit of a class">per unit</span>
      </h4>
      <ul class="neuron-weights" data-testid="output-weights">
        {weights.map(({ label, weight }) => (
          <li key={label} data-class={names[label]}>
            <span class="neuron-class" title={names[label]}>
              <ClassDot colour={colours[label]} /> {names[label]}
            </span>
            <i class="neuron-bar" aria-hidden="true">
              <i
                style={{
                  width: `${(50 * Math.abs(weight)) / most}%`,
                  marginLeft: `${50 + Math.min(0, (50 * weight) / most)}%`,
                  background: weight < 0 ? negative : positive,
                }}
              />
            </i>
            <b>{signedText(weight, most)}</b>
          </li>
        ))}
      </ul>
      {others > 0 && <p class="hint">The weights to {countText(others)} other classes are smaller.</p>}
    </section>
  );
}

export function SimilarNeurons({ value, isWhole }: { value: NeuronCard | undefined; isWhole: boolean }) {
  const over = Math.max(0, ...(value?.similar.map((one) => one.over) ?? []));
  return (
    <section aria-label="Similar neurons">
      <h4>
        Similar neurons{" "}
        {over > 0 && <span title="Pearson's r over the sampled instances">r over {countText(over)}</span>}
      </h4>
      {value && isWhole ? (
        value.similar.length > 0 ? (
          <ul class="neuron-similar" data-testid="similar-neurons">
            {value.similar.map((one) => (
              <li key={neuronKey(one)}>
                <Similar one={one} />
              </li>
            ))}
          </ul>
        ) : (
          <p class="hint">It does not vary over the sampled instances, or no other neuron does.</p>
        )
      ) : (
        <Bones count={SHOWN} />
      )}
    </section>
  );
}

function Similar({ one }: { one: SimilarNeuron }) {
  const { urlState, toggleLayer } = useTab();
  const { snapshot } = useSnapshot();
  const colours = useClassColours();
  const palette = usePalette();
  const strongest = snapshot.value?.classes[one.strongest];
  const [negative, , positive] = palette.diverging;
  return (
    <button
      type="button"
      class="neuron-other"
      title={`Neuron ${one.neuron} of ${one.layer}: r = ${correlationText(one.r)} over ${countText(one.over)} instances. Opens its card`}
      onClick={() => {
        if (!urlState.layers.peek().includes(one.layer)) toggleLayer(one.layer);
        if (urlState.maximised.peek() !== "") urlState.maximised.value = one.layer;
        urlState.neuron.value = neuronKey(one);
      }}
    >
      <span class="neuron-link" title={one.layer}>
        <span>{one.layer}</span> {one.neuron}
      </span>
      <span class="neuron-class">
        {strongest !== undefined && one.strongest >= 0 && (
          <>
            <ClassDot colour={colours[one.strongest]} /> {strongest}
          </>
        )}
      </span>
      <i class="neuron-bar" aria-hidden="true">
        <i style={{ width: `${100 * Math.abs(one.r)}%`, background: one.r < 0 ? negative : positive }} />
      </i>
      <b>{correlationText(one.r)}</b>
    </button>
  );
}
