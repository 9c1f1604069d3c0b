/** What each of the compared runs took an instance for, in the row's label: `A DESC B ENTY`. */
import { isError, NO_PREDICTION } from "../../store/judgement";
import type { MatrixRow } from "../../store/rows";
import type { Store } from "../../store/store";
import { useClassColours, useStore } from "../../ui/context";
import { ClassDot } from "../../ui/glyphs";
import { predictionOf } from "./printed_row";

export function ComparedPredictions({ row }: { row: MatrixRow }) {
  const store = useStore();
  const sides = store.comparing.sides.value;
  const places: { letter: string; store: Store; row: MatrixRow | undefined }[] = [
    { letter: "A", store, row },
    ...sides.map((side) => ({ letter: side.letter, store: side.store, row: rowOn(side.store, row) })),
  ];
  return (
    <span class="row-detail predictions-compared">
      {places.map((place) => (
        <Prediction key={place.letter} {...place} isShort={places.length > 2} />
      ))}
    </span>
  );
}

interface PredictionProperties {
  letter: string;
  store: Store;
  row: MatrixRow | undefined;
  /** Whether a dot stands for the class, as many names have no room. */
  isShort: boolean;
}

function Prediction({ letter, store, row, isShort }: PredictionProperties) {
  const prediction = row && predictionOf(store, row);
  const colours = useClassColours();
  const predicted = prediction?.judgement.predicted ?? -1;
  const name = prediction && (store.catalogue.snapshot.value?.classes[predicted] ?? "none");
  const ours = (store.base ?? store).catalogue.snapshot.value?.classes ?? [];
  return (
    <span
      class={prediction && isError(prediction.judgement) ? "wrong" : ""}
      title={prediction && predicted < 0 ? NO_PREDICTION : (name ?? "")}
    >
      {letter} {name && predicted >= 0 && isShort ? <ClassDot colour={colours[ours.indexOf(name)]} /> : (name ?? "–")}
    </span>
  );
}

const rowOn = ({ rows, temporary }: Store, row: MatrixRow): MatrixRow | undefined =>
  row.kind === "temporary" ? (temporary.value ?? undefined) : rows.value.find(({ key }) => key === row.key);
