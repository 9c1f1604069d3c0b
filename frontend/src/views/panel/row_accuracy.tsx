/** Accuracy of a row beside its name: a bar with that over all instances, and a figure. */
import { accuracyOf } from "../../store/judgement";
import { isLow, type RowAccuracy, rowAccuracy } from "../../store/row_accuracy";
import type { MatrixRow } from "../../store/rows";
import { useSnapshot } from "../../ui/context";
import { outcomeText, rowAccuracyText } from "../../ui/exactness";

/** `82 %`, `≈ 82 %`, or that too few were sampled to tell one half from the other. */
function figureOf({ share, limits }: RowAccuracy): string {
  if (limits && limits[1] - limits[0] > 0.5) return "too few";
  return `${limits ? "≈ " : ""}${Math.round(share * 100)} %`;
}

export const percent = (share: number): string => `${100 * Math.min(1, Math.max(0, share))}%`;

/** What a row's accuracy is, and whether it is lower than chance explains; nothing where there is none. */
export function AccuracyCells({ row }: { row: MatrixRow }) {
  const store = useSnapshot();
  const accuracy = rowAccuracy(store, row);
  const { share: all } = accuracyOf(store.snapshot.value);
  if (!accuracy) return null;
  const low = isLow(accuracy);
  const { share, limits, byDefinition } = accuracy;
  if (byDefinition) {
    return (
      <span class="row-accuracy" data-testid="row-accuracy" data-low={false}>
        <span class="accuracy-figure defined">{outcomeText(share)}</span>
      </span>
    );
  }
  return (
    <span class={low ? "row-accuracy low" : "row-accuracy"} data-testid="row-accuracy" data-low={low}>
      <i class="accuracy-bar" aria-hidden="true">
        <i class="share" style={{ width: percent(share) }} />
        {low && <i class="missing" style={{ left: percent(share), width: percent(all - share) }} />}
        {limits && <i class="limits" style={{ left: percent(limits[0]), width: percent(limits[1] - limits[0]) }} />}
        <i class="over-all" style={{ left: percent(all) }} />
      </i>
      <span class="accuracy-figure">
        {figureOf(accuracy)}
        {low && <span class="unseen">, lower than over all</span>}
      </span>
    </span>
  );
}

/** What the accuracy holds for, and how it is beside that over all, as lines. */
export function useAccuracyText(row: MatrixRow): string {
  const store = useSnapshot();
  const accuracy = rowAccuracy(store, row);
  return accuracy ? rowAccuracyText(accuracy, accuracyOf(store.snapshot.value)) : "";
}
