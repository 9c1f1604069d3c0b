/** Instances as squares in a line: hovering reads one, a click pins it. */

import { useSignal } from "@preact/signals";
import { type Judgement, judgementOf, NO_PREDICTION } from "../../store/judgement";
import { instanceName, instanceRow } from "../../store/rows";
import type { Side } from "../../store/side";
import { useClassColours, useStore } from "../../ui/context";
import { InstanceGlyph } from "../../ui/glyphs";
import { countText } from "../../ui/numbers";

interface SquaresProperties {
  side: Side;
  title: string;
  /** Sampled rows of the base. */
  rows: readonly number[];
}

/** So many stand in the line until all are asked for, and so many then. */
const FEW = 24;
const MOST = 400;

export function Squares({ side, title, rows }: SquaresProperties) {
  const all = useSignal(false);
  if (rows.length === 0) return null;
  const shown = rows.slice(0, all.value ? MOST : FEW);
  return (
    <fieldset
      class="changed-squares"
      aria-label={`${title} in ${side.letter}`}
      data-testid="squares"
      data-change={title}
      onKeyDown={moveAlong}
    >
      <div class="changed-line">
        <span>{title}</span>
        {shown.map((row, at) => (
          <Square key={row} side={side} row={row} isFirst={at === 0} />
        ))}
        {rows.length > FEW && (
          <button
            type="button"
            class="quiet"
            aria-label={all.value ? "Show fewer" : `Show all that are ${title}`}
            onClick={() => {
              all.value = !all.value;
            }}
          >
            {all.value ? "fewer" : `+ ${countText(rows.length - FEW)}`}
          </button>
        )}
      </div>
    </fieldset>
  );
}

function Square({ side, row, isFirst }: { side: Side; row: number; isFirst: boolean }) {
  const { columns, durable, hover, togglePin } = useStore();
  const colours = useClassColours();
  const ours = columns.value;
  const id = ours?.id[row] ?? "";
  if (!ours) return null;
  const theirs = side.opened.columns.value;
  const there = side.opened.rowOf.value.get(id) ?? -1;
  const classes = side.view.snapshot.value?.classes ?? [];
  const names = side.store.base?.catalogue.snapshot.value?.classes ?? [];
  const found = theirs?.predicted[there] ?? -1;
  // What the other predicts, among the classes of the base.
  const judgement = judgementOf(
    { label: [ours.label[row] ?? -1], predicted: [names.indexOf(classes[found] ?? "")] },
    0,
  );
  const seen: Judgement = found >= 0 && judgement.predicted < 0 ? { ...judgement, kind: "wrong" } : judgement;
  const truth = names[judgement.label];
  const facts = [
    truth === undefined ? "" : `true ${truth}`,
    found < 0 ? `${side.letter}: ${NO_PREDICTION}` : `${side.letter} predicts ${classes[found]}`,
  ];
  const point = () => {
    hover.value = { source: "instances", row: instanceRow(ours, row) };
  };
  const leave = () => {
    hover.value = null;
  };
  return (
    <button
      type="button"
      class={durable.pinned.value.includes(id) ? "changed-square pinned" : "changed-square"}
      tabIndex={isFirst ? 0 : -1}
      data-testid="changed-square"
      data-id={id}
      aria-label={`${instanceName(ours, row)}: ${facts.filter((fact) => fact !== "").join(", ")}`}
      onPointerEnter={point}
      onPointerLeave={leave}
      onFocus={point}
      onBlur={leave}
      onClick={() => togglePin(row)}
    >
      <InstanceGlyph judgement={seen} colours={colours} />
    </button>
  );
}

/** Arrow keys lead from square to square. */
function moveAlong(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  const next = event.key === "ArrowRight" ? target.nextElementSibling : target.previousElementSibling;
  if (!["ArrowRight", "ArrowLeft"].includes(event.key) || !(next instanceof HTMLElement)) return;
  event.preventDefault();
  next.focus();
}
