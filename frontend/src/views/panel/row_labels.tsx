/** Names of a matrix's rows. Hovering one lights its instances; a click sorts every panel by it. */

import { ROW_HEIGHT } from "../../draw/matrix_layout";
import type { MatrixRow } from "../../state/rows";
import { ClassDot, Icon, InstanceGlyph, SubsetGlyph } from "../widgets/glyphs";
import { countText } from "../widgets/numbers";
import { useClassColours, useStore } from "../widgets/store";
import type { MatrixFrame } from "./frame";

/** Rows beyond the visible ones that are kept, so that scrolling shows no gap. */
const SPARE = 120;

export function RowLabels({ frame }: { frame: MatrixFrame }) {
  const { rowKey } = useStore();
  const { rows, rowLayout, scrollTop, height, layer } = frame;
  const hovered = rowKey.value;
  return (
    <div class="row-labels">
      {rows.map((row, position) => {
        const top = rowLayout.tops[position] ?? 0;
        if (top < scrollTop - SPARE || top > scrollTop + height + SPARE) return null;
        return <RowLabel key={row.key} row={row} top={top} layer={layer.name} hovered={row.key === hovered} />;
      })}
    </div>
  );
}

interface RowLabelProperties {
  row: MatrixRow;
  top: number;
  layer: string;
  hovered: boolean;
}

export function RowLabel({ row, top, layer, hovered }: RowLabelProperties) {
  const { durable, hover, togglePin } = useStore();
  const sorted = durable.sort.value === row.key;
  const isTemporary = row.kind === "temporary";
  return (
    <div
      class={`row-label ${row.kind}${hovered ? " hovered" : ""}${sorted ? " sorted" : ""}`}
      style={{ top: `${top}px`, height: `${ROW_HEIGHT}px` }}
      onPointerEnter={() => {
        if (!isTemporary) hover.value = { source: "label", layer, row };
      }}
      onPointerLeave={() => {
        if (!isTemporary) hover.value = null;
      }}
    >
      <button
        type="button"
        data-testid="row-label"
        data-row={row.id}
        data-kind={row.kind}
        title={`${row.name}: click to sort the neurons by it`}
        onClick={() => {
          durable.sort.value = row.key;
        }}
      >
        <RowContent row={row} />
        <span class="sort-sign">{sorted ? "▼" : ""}</span>
      </button>
      {row.kind === "instance" && (
        <button
          type="button"
          class="unpin"
          aria-label={`Unpin ${row.name}`}
          onClick={() => {
            hover.value = null;
            togglePin(row.sampled);
          }}
        >
          <Icon name="close" />
        </button>
      )}
    </div>
  );
}

function RowContent({ row }: { row: MatrixRow }) {
  const { catalogue } = useStore();
  const colours = useClassColours();
  const subset = catalogue.snapshot.value?.subsets[row.subset];
  if (!subset) return <InstanceContent row={row} colours={colours} />;
  return (
    <>
      {row.kind === "class" ? <ClassDot colour={colours[row.subset]} /> : <SubsetGlyph />}
      <span class="row-name">{row.name}</span>
      <span class="row-detail">{countText(subset.count)}</span>
    </>
  );
}

function InstanceContent({ row, colours }: { row: MatrixRow; colours: readonly string[] }) {
  const { catalogue, instances } = useStore();
  const columns = instances.state.value.value;
  const classes = catalogue.snapshot.value?.classes ?? [];
  const label = columns?.label[row.sampled] ?? -1;
  const predicted = columns?.predicted[row.sampled] ?? -1;
  const wrong = label !== predicted;
  return (
    <>
      <InstanceGlyph truth={colours[label]} predicted={wrong ? colours[predicted] : null} />
      <span class="row-name">{row.name}</span>
      <span class={wrong ? "row-detail wrong" : "row-detail"}>
        {wrong ? `${classes[label]} → ${classes[predicted]}` : `${classes[label]} ✓`}
      </span>
    </>
  );
}
