/** Card of the hovered instance, docked, so that it never covers what is looked at; without one it takes no room. */

import { useComputed, useSignal } from "@preact/signals";
import { descending, sum } from "d3-array";
import type { AttributeColumn, InstanceColumns, SnapshotEntry } from "../../contract/activis";
import { isError, judgementOf, predictedName } from "../../store/judgement";
import { instanceName } from "../../store/rows";
import { isPresent } from "../../store/tables";
import { type ColouringNeuron, keyedNeuron } from "../../store/url_state";
import { useClassColours, usePalette, useSnapshot, useTab } from "../../ui/context";
import { InstanceGlyph } from "../../ui/glyphs";
import { Picture, Sound } from "../../ui/media";
import { countText, exactText } from "../../ui/numbers";
import { ShadedLegend, ShadedWords, usePositions } from "../../ui/shaded_words";

const SHOWN = 400;
const SHOWN_BESIDE_MEDIA = 120;

interface CardTextProperties {
  name: string;
  text: string | null;
  besideMedia: boolean;
}

function CardText({ name, text, besideMedia }: CardTextProperties) {
  const whole = useSignal(false);
  if (text === null) return <p class="hint">no {name}</p>;
  const shown = besideMedia ? SHOWN_BESIDE_MEDIA : SHOWN;
  const rest = text.length - shown;
  const isCut = rest > 0 && !whole.value;
  return (
    <p class="card-text" title={name} data-testid="card-text">
      “{isCut ? text.slice(0, shown) : text}
      {isCut ? "… " : "”"}
      {isCut && (
        <button
          type="button"
          class="quiet"
          data-testid="whole-text"
          onClick={() => {
            whole.value = true;
          }}
        >
          {countText(rest)} more characters
        </button>
      )}
    </p>
  );
}

export function InstanceCard() {
  const { reading } = useTab();
  const store = useSnapshot();
  const columns = store.columns.value;
  const snapshot = store.snapshot.value;
  const row = reading.value;
  if (!columns || !snapshot || row < 0) return null;
  return (
    <section class="instance-card" data-testid="instance-card" aria-label="Instance in detail">
      <CardContent snapshot={snapshot} instances={columns} row={row} />
    </section>
  );
}

interface CardProperties {
  snapshot: SnapshotEntry;
  instances: InstanceColumns;
  row: number;
}

/** The neuron that is pointed at, else that whose card is open. */
function usePointed(): ColouringNeuron | null {
  const { urlState } = useTab();
  const { hover } = useSnapshot();
  return useComputed(() => {
    const { layer, neuron } = hover.value ?? {};
    return layer !== undefined && neuron !== undefined ? { layer, neuron } : keyedNeuron(urlState.neuron.value);
  }).value;
}

function CardContent({ snapshot, instances, row }: CardProperties) {
  const colours = useClassColours();
  const pointed = usePointed();
  const kept = usePositions(pointed?.layer);
  const shaded = kept?.ofNeuron(row, pointed?.neuron ?? -1) ?? null;
  const { urlState } = useTab();
  const { instance } = useSnapshot();
  const judgement = judgementOf(instances, row);
  const truth = snapshot.classes[judgement.label];
  const isExample = instances.example[row] ?? false;
  const texts = instances.attributes.filter((attribute) => attribute.type === "text");
  const sounds = instances.attributes.filter((attribute) => attribute.type === "audio");
  const pictures = instances.attributes.filter((attribute) => attribute.type === "image");
  const facts = instances.attributes.filter((attribute) =>
    ["number", "category", "boolean", "time"].includes(attribute.type),
  );
  const pinned = urlState.pinned.value.includes(instances.id[row] ?? "");
  return (
    <>
      <p class="card-title">
        <InstanceGlyph judgement={judgement} colours={colours} />
        <b>{instanceName(instances, row)}</b>
        <span>
          {truth !== undefined && `${isExample ? "expected" : "true"} ${truth} → `}
          {judgement.kind !== "nothing" && "predicted "}
          <span class={isError(judgement) ? "wrong" : ""}>{predictedName(snapshot.classes, judgement.predicted)}</span>
        </span>
      </p>
      <div class="card-body">
        {shaded && pointed && (
          <div class="card-text" data-testid="card-words">
            <ShadedWords key={row} of={shaded} />
            <p class="hint">
              <ShadedLegend of={shaded} name={`${pointed.layer} ${pointed.neuron}`} />
            </p>
          </div>
        )}
        {texts.slice(shaded ? 1 : 0).map((attribute) => (
          <CardText
            key={`${attribute.name} ${row}`}
            name={attribute.name}
            text={textAt(attribute, row)}
            besideMedia={sounds.length + pictures.length > 0}
          />
        ))}
        {kept && !shaded && pointed && (
          <p class="hint">
            Its words are not shaded: what {pointed.layer} does at each is kept of {countText(kept.rows.length)}{" "}
            instances.
          </p>
        )}
        {facts.length > 0 && (
          <dl>
            {facts.map((attribute) => (
              <div key={attribute.name}>
                <dt>{attribute.name}</dt>
                <dd>{factText(attribute, row)}</dd>
              </div>
            ))}
          </dl>
        )}
        {sounds.map((attribute) => (
          <Sound key={attribute.name} attribute={attribute} row={row} />
        ))}
        <div class="card-media">
          {pictures.map((attribute) => (
            <Picture key={attribute.name} attribute={attribute} row={row} />
          ))}
          <ScoreBars snapshot={snapshot} instances={instances} row={row} />
        </div>
      </div>
      <p class="hint">
        {(isExample || instances.always[row]) && <b class="test-case">test case</b>}
        {hintText(pinned, instance.value === row)}
      </p>
    </>
  );
}

const MOST_BARS = 10;

function ScoreBars({ snapshot, instances, row }: CardProperties) {
  const colours = useClassColours();
  const other = usePalette().otherClass;
  const known = useSnapshot().scores.value;
  if (judgementOf(instances, row).kind === "nothing") {
    return <p class="no-scores">Some of its scores are not finite, so it is predicted as nothing.</p>;
  }
  if (!known) return <p class="hint">loading its scores …</p>;
  const scores = snapshot.classes.map((name, label) => ({ name, label, score: known[label] ?? 0 }));
  if (scores.length > MOST_BARS + 1) scores.sort((first, second) => descending(first.score, second.score));
  const shown = scores.length > MOST_BARS + 1 ? scores.slice(0, MOST_BARS) : scores;
  const rest = scores.length - shown.length;
  const restScore = sum(scores.slice(shown.length), ({ score }) => score);
  return (
    <ul class="score-bars" aria-label="Scores">
      {shown.map(({ name, label, score }) => (
        <li key={name} class={instances.predicted[row] === label ? "predicted" : undefined}>
          <span title={name}>{name}</span>
          <i>
            <i style={{ width: `${100 * Math.min(1, Math.max(0, score))}%`, background: colours[label] }} />
          </i>
          <span>{score.toFixed(2)}</span>
        </li>
      ))}
      {rest > 0 && (
        <li>
          <span>{countText(rest)} others</span>
          <i>
            <i style={{ width: `${100 * Math.min(1, Math.max(0, restScore))}%`, background: other }} />
          </i>
          <span>{restScore.toFixed(2)}</span>
        </li>
      )}
    </ul>
  );
}

function hintText(pinned: boolean, hovered: boolean): string {
  if (!hovered) return pinned ? "pinned" : "looked at last";
  return pinned ? "pinned · click unpins" : "click pins the row";
}

const textAt = (attribute: AttributeColumn, row: number): string | null =>
  isPresent(attribute, row) ? (attribute.texts[row] ?? "") : null;

function factText(attribute: AttributeColumn, row: number): string {
  if (!isPresent(attribute, row)) return "–";
  if (attribute.type === "number" || attribute.type === "time") {
    return exactText(attribute.numbers[row] ?? Number.NaN, attribute.texts[row]);
  }
  if (attribute.type === "boolean") return attribute.booleans[row] ? "yes" : "no";
  return attribute.categories[attribute.codes[row] ?? -1] ?? "–";
}
