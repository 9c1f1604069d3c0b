/** Lit instances in words: how many there are, by what they are lit, and the first of them. */

import { descending } from "d3-array";
import { useMemo } from "preact/hooks";
import type { InstanceColumns, SnapshotEntry } from "../../contract/activis";
import { isError, judgementOf, judgementText } from "../../store/judgement";
import { instanceName, type MatrixRow } from "../../store/rows";
import { firstText } from "../../store/tables";
import { useClassColours, useSnapshot } from "../../ui/context";
import { limitsText, populationText, roughCountText, wholeText } from "../../ui/exactness";
import { InstanceGlyph } from "../../ui/glyphs";
import { Thumbnail } from "../../ui/media";
import { countText } from "../../ui/numbers";

const MOST_LISTED = 8;

interface LitInstancesProperties {
  row: MatrixRow;
  snapshot: SnapshotEntry;
  instances: InstanceColumns;
}

export function LitInstances({ row, snapshot, instances }: LitInstancesProperties) {
  const { litMask } = useSnapshot();
  const mask = litMask.value;
  const lit = useMemo(() => firstLit(mask, instances.score), [mask, instances]);
  return (
    <section class="lit-instances" data-testid="lit-instances" aria-label="Lit instances">
      <h3>
        <LitCount row={row} shown={mask ? lit.count : null} snapshot={snapshot} />
        <span class="lit-name" title={row.name}>
          {row.name}
        </span>
      </h3>
      <ul>
        {lit.first.map((one) => (
          <LitInstance key={one} row={one} snapshot={snapshot} instances={instances} />
        ))}
      </ul>
      {lit.count > MOST_LISTED && <p class="hint">and {countText(lit.count - MOST_LISTED)} more</p>}
    </section>
  );
}

/** How many are lit, and those of them with the highest scores, the highest first. */
export function firstLit(mask: Uint8Array | null, score: readonly number[]): { count: number; first: number[] } {
  const first: number[] = [];
  let count = 0;
  const isBefore = (one: number, other: number) => (descending(score[one], score[other]) || one - other) < 0;
  for (let row = mask?.indexOf(1) ?? -1; mask && row >= 0; row = mask.indexOf(1, row + 1)) {
    count++;
    let place = first.length;
    while (place > 0 && isBefore(row, first[place - 1] ?? 0)) place--;
    if (place >= MOST_LISTED) continue;
    first.splice(place, 0, row);
    first.length = Math.min(first.length, MOST_LISTED);
  }
  return { count, first };
}

interface LitCountProperties {
  row: MatrixRow;
  /** How many of the instances kept here are lit; null until that is known. */
  shown: number | null;
  snapshot: SnapshotEntry;
}

/** `7 lit`; where not all instances are kept here, how many of those are lit, and how many there are. */
function LitCount({ row, shown, snapshot }: LitCountProperties) {
  const { answerOf } = useSnapshot();
  const state = answerOf(row);
  const answer = state?.value;
  const isWhole = snapshot.sampled >= snapshot.instances;
  if (state?.status === "error") return <b title={state.message}>not here</b>;
  if (shown === null) return <b>…</b>;
  const limits = answer && limitsText(answer);
  return (
    <>
      <b role="status" data-testid="lit-count">
        {countText(shown)} lit
      </b>
      {!isWhole && (
        <span class="row-detail" title={answer && populationText(answer)}>
          of {countText(snapshot.sampled)} sampled
          {answer && `; ${roughCountText(answer)} ${wholeText(answer)}${limits ? ` (${limits})` : ""}`}
        </span>
      )}
    </>
  );
}

function LitInstance({ row, snapshot, instances }: Omit<LitInstancesProperties, "row"> & { row: number }) {
  const colours = useClassColours();
  const judgement = judgementOf(instances, row);
  const text = firstText(instances, row);
  return (
    <li>
      <InstanceGlyph judgement={judgement} colours={colours} />
      <span class="lit-text" title={text ?? undefined}>
        <small>{instanceName(instances, row)}</small> <Thumbnail row={row} />
        {text}
      </span>
      <span class={isError(judgement) ? "row-detail wrong" : "row-detail"}>
        {text === null && judgementText(judgement, snapshot.classes)}{" "}
        {judgement.kind !== "nothing" && (instances.score[row] ?? Number.NaN).toFixed(2)}
      </span>
    </li>
  );
}
