/** What a layer makes of the followed row, in a line: read from panel to panel, it is the row's way through the layers. */

import type { ComponentChildren } from "preact";
import type { LayerStore } from "../../store/layer";
import { followedRow, type RowPath, rowPath } from "../../store/row_path";
import { isMany, type MatrixRow } from "../../store/rows";
import type { Store } from "../../store/store";
import { useClassColours, useStore } from "../../ui/context";
import { ClassDot } from "../../ui/glyphs";
import { correlationText, countText, percentText } from "../../ui/numbers";
import type { MatrixFrame } from "./frame";

/** Takes the place of what stands there otherwise while a row is hovered, or kept lit. */
export function Followed({ frame, children }: { frame: MatrixFrame; children: ComponentChildren }) {
  const store = useStore();
  const { layer } = frame;
  const row = followedRow(store);
  const path = row && rowPath(store, layer, row);
  return <>{path ? <RowPathLine layer={layer} row={row} path={path} isPrinted={frame.columns.printed} /> : children}</>;
}

interface RowPathLineProperties {
  layer: LayerStore;
  row: MatrixRow;
  path: RowPath;
  /** Whether the values stand below as numbers. */
  isPrinted: boolean;
}

function RowPathLine({ layer, row, path, isPrinted }: RowPathLineProperties) {
  const store = useStore();
  const colours = useClassColours();
  const names = store.catalogue.snapshot.value?.classes ?? [];
  const [first, second] = path.nearest;
  const before = turned(store, layer, row, first);
  const colourOf = (label: number) => colours[baseClasses(store).indexOf(names[label] ?? "")] ?? colours[label];
  return (
    <span
      class="row-path"
      data-testid="row-path"
      data-nearest={first === undefined ? "" : names[first]}
      data-likeness={first === undefined ? "" : path.likeness[first]}
      title={titleOf(row, path, names)}
    >
      {path.shares && (
        <i class="path-bar" data-testid="path-bar" aria-hidden="true">
          {Array.from(path.shares, (share, label) => (
            <i key={names[label]} style={{ flexGrow: share, background: colourOf(label) }} />
          ))}
        </i>
      )}
      {first === undefined ? (
        `${row.name} is like no class`
      ) : (
        <>
          {row.kind === "class" ? "next " : "like "}
          <ClassDot colour={colourOf(first)} /> <b>{names[first]}</b> {likenessText(path, first)}
          {before !== null && <b class="turned"> ← {names[before]}</b>}
          {second !== undefined && ` · ${names[second]} ${likenessText(path, second)}`}
        </>
      )}
      {!isPrinted && path.strongest.length > 0 && ` · strongest ${path.strongest.join(" ")}`}
    </span>
  );
}

/** Colours are the base's. */
const baseClasses = (store: Store): readonly string[] => (store.base ?? store).catalogue.snapshot.value?.classes ?? [];

const likenessText = ({ likeness }: RowPath, label: number): string => correlationText(likeness[label] ?? Number.NaN);

/** The class that the row was like in the panel above, where that is another one; else null. */
function turned(store: Store, layer: LayerStore, row: MatrixRow, nearest: number | undefined): number | null {
  // How far other classes are from one is much the same for all of them.
  if (row.kind === "class") return null;
  const layers = store.layers.value;
  const above = layers[layers.findIndex(({ name }) => name === layer.name) - 1];
  const before = above && rowPath(store, above, row)?.nearest[0];
  return before === undefined || before === nearest ? null : before;
}

const LIKE =
  "Likeness: the cosine of the row's mean and a class's mean, both less the average of the class means; 1 is the same direction, 0 none. ← the class that it is like in the panel above.";

function titleOf(row: MatrixRow, { shares, over, likeness }: RowPath, names: readonly string[]): string {
  const all = Array.from(likeness, (value, label) => `${names[label]} ${correlationText(value)}`);
  const split = [...(shares ?? [])].flatMap((share, label) =>
    share > 0 ? `${percentText(share)} ${names[label]}` : [],
  );
  const counted =
    shares && isMany(row)
      ? `Bar: of its sampled instances (${countText(over)}), the class each is most like: ${split.join(", ")}.`
      : "";
  return [`${row.name} in this layer: ${all.join(", ")}.`, counted, LIKE].filter((line) => line !== "").join("\n");
}
