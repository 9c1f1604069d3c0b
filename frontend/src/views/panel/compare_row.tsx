/** Comparing a row with another one, from its label. */
import type { Comparison } from "../../store/row_comparison";
import { isMany, type MatrixRow } from "../../store/rows";
import { useStore } from "../../ui/context";
import { Icon } from "../../ui/glyphs";

export function CompareButton({ row }: { row: MatrixRow }) {
  const { comparison } = useStore();
  const marked = comparison.marked.value;
  const isMarked = marked?.key === row.key;
  const label =
    marked && !isMarked ? `Compare ${marked.name} with ${row.name}` : `Compare ${row.name} with another row`;
  const place = row.condition !== undefined ? "third" : isMany(row) || row.kind === "instance" ? "second" : "";
  return (
    <button
      type="button"
      tabIndex={-1}
      class={`row-action compare ${place}${isMarked ? " on" : ""}`}
      data-testid="row-compare"
      aria-pressed={isMarked}
      aria-label={label}
      title={`${label}: neurons that separate the two come first (key C)`}
      onClick={() => comparison.compare(row)}
    >
      <Icon name="compare" />
    </button>
  );
}

/** `1` and `2` at the rows that are compared. */
export function comparisonSign({ compared, marked }: Comparison, row: MatrixRow): string {
  if (marked.value?.key === row.key) return "1";
  const at = marked.value ? -1 : (compared.value?.findIndex(({ key }) => key === row.key) ?? -1);
  return at < 0 ? "" : String(at + 1);
}
