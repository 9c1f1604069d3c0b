/** Hovered instance while runs are compared, docked below the panels, with each run's prediction. */
import type { InstanceColumns } from "../../contract/activis";
import { isError, type Judgement, judgementOf, predictedName } from "../../store/judgement";
import { changeOf, instanceName } from "../../store/rows";
import type { SnapshotStore } from "../../store/snapshot";
import { useClassColours, useSnapshot, useTab } from "../../ui/context";
import { ClassDot, InstanceGlyph, SideBadge } from "../../ui/glyphs";

export function DockedInstance() {
  const store = useSnapshot();
  const columns = store.columns.value;
  const row = store.instance.value;
  return (
    <section class="card docked" data-testid="instance-card" aria-label="Instance in detail">
      {columns && row >= 0 ? (
        <Instance store={store} columns={columns} row={row} />
      ) : (
        <p class="hint">
          Hover a square or a dot to see the instance here, and as a temporary row in every matrix. Click to pin it.
        </p>
      )}
    </section>
  );
}

interface InstanceProperties {
  store: SnapshotStore;
  columns: InstanceColumns;
  row: number;
}

function Instance({ store, columns, row }: InstanceProperties) {
  const { client, comparing } = useTab();
  const colours = useClassColours();
  const judgement = judgementOf(columns, row);
  const names = store.snapshot.value?.classes ?? [];
  const texts = columns.attributes.filter(({ type }) => type === "text").map(({ texts: values }) => values[row] ?? "");
  const image = columns.attributes.find(({ type }) => type === "image")?.name;
  const reference = store.reference.value;
  const truth = names[judgement.label];
  const places = [
    { letter: "A", place: store },
    ...comparing.sides.value.map((side) => ({ letter: side.letter, place: side.store })),
  ];
  return (
    <>
      {image !== undefined && reference && <img src={client.imageUrl(reference, image, row)} alt={image} />}
      <p class="docked-name">
        {truth !== undefined && (
          <InstanceGlyph
            judgement={{ kind: "right", label: judgement.label, predicted: judgement.label }}
            colours={colours}
          />
        )}
        <b>{instanceName(columns, row)}</b>
        {truth !== undefined && <span>true {truth}</span>}
      </p>
      <p class="docked-text" title={texts.join(" ")}>
        {texts.map((text) => `“${text}”`).join(" ")}
      </p>
      {places.map(({ letter, place }) => (
        <Prediction key={letter} letter={letter} store={place} before={letter === "A" ? null : judgement} />
      ))}
    </>
  );
}

interface PredictionProperties {
  letter: string;
  store: SnapshotStore;
  /** What the base made of it; null for the base itself. */
  before: Judgement | null;
}

function Prediction({ letter, store, before }: PredictionProperties) {
  const base = useSnapshot();
  const colours = useClassColours();
  const columns = store.columns.value;
  const row = store.instance.value;
  if (columns?.predicted[row] === undefined) {
    return (
      <p class="docked-prediction">
        <SideBadge letter={letter} /> <span class="hint">not in its sample</span>
      </p>
    );
  }
  const judgement = judgementOf(columns, row);
  const name = predictedName(store.snapshot.value?.classes ?? [], judgement.predicted);
  const isRight = judgement.kind === "right";
  const isComparable = before !== null && before.label >= 0 && judgement.label >= 0;
  const change = isComparable ? changeOf(before.kind === "right", isRight) : "";
  const classes = base.snapshot.value?.classes ?? [];
  return (
    <p class="docked-prediction" data-testid="docked-prediction" data-side={letter}>
      <SideBadge letter={letter} />
      {judgement.kind !== "nothing" && <ClassDot colour={colours[classes.indexOf(name)]} />}
      <span class={isError(judgement) ? "wrong" : ""}>{name}</span>
      {judgement.kind !== "nothing" && <span>{(columns.score[row] ?? 0).toFixed(2)}</span>}
      {change !== "" && <b class={change === "fixed" ? "right" : isRight ? "" : "wrong"}>{change}</b>}
    </p>
  );
}
