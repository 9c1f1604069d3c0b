/** Test cases of the user's own, above the instances: a line each, and how many are as expected. */

import { useRef } from "preact/hooks";
import type { InstanceColumns, SnapshotEntry } from "../../contract/activis";
import { isError, judgementOf, judgementText, predictedName } from "../../store/judgement";
import { instanceName } from "../../store/rows";
import { firstText } from "../../store/tables";
import { useClassColours, useSnapshot } from "../../ui/context";
import { InstanceGlyph } from "../../ui/glyphs";
import { Thumbnail } from "../../ui/media";
import { countText } from "../../ui/numbers";
import { listenToInstances, useInstanceMarks } from "./marked";

interface TestCasesProperties {
  snapshot: SnapshotEntry;
  instances: InstanceColumns;
}

export function TestCases({ snapshot, instances }: TestCasesProperties) {
  const store = useSnapshot();
  const container = useRef<HTMLElement>(null);
  const rows = instances.example.flatMap((example, row) => (example ? [row] : []));
  const judgements = rows.map((row) => judgementOf(instances, row));
  const expected = judgements.filter(({ label }) => label >= 0).length;
  const right = judgements.filter(({ kind }) => kind === "right").length;
  useInstanceMarks(container);
  return (
    <section
      ref={container}
      class="test-cases"
      aria-label="Test cases"
      data-testid="test-cases"
      {...listenToInstances(store, instances, () => false)}
    >
      <h3 title="Your own instances beside the recorded ones; part of no count, average or subset">
        <span>Test cases</span>
        <span class="group-count">
          {expected > 0 ? `${countText(right)} of ${countText(expected)} as expected` : countText(rows.length)}
        </span>
        {right < expected && <span class="wrong-count">{countText(expected - right)} not</span>}
      </h3>
      <ul>
        {rows.map((row) => (
          <TestCase key={instances.id[row]} snapshot={snapshot} instances={instances} row={row} />
        ))}
      </ul>
    </section>
  );
}

function TestCase({ snapshot, instances, row }: TestCasesProperties & { row: number }) {
  const colours = useClassColours();
  const judgement = judgementOf(instances, row);
  const expected = snapshot.classes[judgement.label];
  const found = predictedName(snapshot.classes, judgement.predicted);
  const facts = [
    expected === undefined ? "" : `expected ${expected}`,
    judgement.predicted < 0 ? found : `predicted ${found}`,
  ];
  return (
    <li>
      <button
        type="button"
        data-testid="test-case"
        data-row={row}
        data-correct={expected === undefined ? undefined : String(judgement.kind === "right")}
        title={`${instanceName(instances, row)}: ${facts.filter((fact) => fact !== "").join(", ")}`}
      >
        <InstanceGlyph judgement={judgement} colours={colours} />
        <span class="test-case-name">
          <Thumbnail row={row} />
          {firstText(instances, row) ?? instanceName(instances, row)}
        </span>
        <span class={isError(judgement) ? "row-detail wrong" : "row-detail"}>
          {judgementText(judgement, snapshot.classes)}
        </span>
      </button>
    </li>
  );
}
