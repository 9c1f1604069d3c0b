/** What a cell holds in each of the runs that are compared: `A 6 ↔ B 88 r 0.92 · only B right 0.53 → 0.30`. */

import type { ComponentChildren } from "preact";
import { type ColumnMatching, WEAK } from "../../store/compared_layer";
import type { MatrixRow } from "../../store/rows";
import type { Side } from "../../store/side";
import type { Store } from "../../store/store";
import { correlationText, valueText } from "../../ui/numbers";
import type { MatrixFrame } from "./frame";

export function comparedText(
  store: Store,
  frame: MatrixFrame,
  neuron: number,
  row: MatrixRow | undefined,
): ComponentChildren {
  const sides = store.comparing.sides.value;
  const partners = sides.map((side) => partnerText(side, frame, neuron));
  const values = [row && frame.valuesOf(row)?.[neuron], ...sides.map((side) => valueOnSide(side, frame, neuron, row))];
  return (
    <>
      <b>{[`A ${neuron}`, ...partners.filter((text) => text !== "")].join(" ↔ ")}</b>
      {row && ` · ${row.name} ${values.map(shown).join(" → ")}`}
    </>
  );
}

const shown = (value: number | undefined): string =>
  value === undefined || Number.isNaN(value) ? "–" : valueText(value);

function partnerText(side: Side, { layer }: MatrixFrame, neuron: number): string {
  const matching = side.layers.value.get(layer.name)?.matching.value;
  if (!matching) return "";
  const partner = matching.partners[neuron] ?? -1;
  return partner < 0 ? `${side.letter} has none` : `${side.letter} ${partner}${likeness(matching, neuron)}`;
}

function likeness({ correlations, weak }: ColumnMatching, neuron: number): string {
  const r = correlations?.[neuron] ?? Number.NaN;
  if (Number.isNaN(r)) return "";
  return ` r ${correlationText(r)}${weak[neuron] === 1 ? ` (weak: below ${WEAK})` : ""}`;
}

/** Of the base's row on another side, under the base's neuron. */
export function valueOnSide(
  side: Side,
  { layer }: MatrixFrame,
  neuron: number,
  row: MatrixRow | undefined,
): number | undefined {
  const { rows, temporary } = side.store;
  const there = [...rows.value, ...(temporary.value ? [temporary.value] : [])].find(({ key }) => key === row?.key);
  return there && !there.absent ? side.layers.value.get(layer.name)?.valuesOf(there)?.[neuron] : undefined;
}
