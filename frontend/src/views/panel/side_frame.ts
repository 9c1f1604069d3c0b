/** A matrix of another snapshot, laid out as the base's: the same rows and columns in sight, its own values. */
import { FILLING } from "../../draw/matrix";
import { createRamp, differenceColours } from "../../draw/palette";
import { type ColumnMatching, type ComparedLayer, gather } from "../../store/compared_layer";
import type { MatrixRow } from "../../store/rows";
import { usePalette, useStore } from "../../ui/context";
import { isOutputLayer, type MatrixFrame, rampOf, rowShares } from "./frame";

export function useSideFrame(compared: ComparedLayer, base: MatrixFrame): MatrixFrame {
  const store = useStore();
  const palette = usePalette();
  const { layer } = compared;
  const matching = compared.matching.value;
  const isDifference = store.comparing.isDifference(layer.name);
  const end = compared.differenceEnd.value;
  const differences = end === null ? null : createRamp(palette, end, true, differenceColours(palette));
  const sharesOf = (row: MatrixRow) => {
    const shares = isDifference ? null : rowShares(store, layer, row);
    return shares && matching && gather(shares, matching.partners);
  };
  return {
    ...base,
    layer,
    rows: store.rows.value,
    valuesOf: isDifference ? compared.differencesOf : compared.valuesOf,
    sharesOf,
    fillings: matching && fillingsOf(matching),
    isDifference,
    ramp: isDifference ? differences : rampOf(layer, palette),
    output: isOutputLayer(store, layer) ? base.output : null,
  };
}

const fillingsOf = ({ partners, weak }: ColumnMatching): Uint8Array =>
  Uint8Array.from(partners, (partner, neuron) => {
    if (partner < 0) return FILLING.none;
    return weak[neuron] === 1 ? FILLING.hollow : FILLING.full;
  });
