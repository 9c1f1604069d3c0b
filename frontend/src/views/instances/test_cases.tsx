/** The user's own test cases, above the instances: each as expected or not. */

import { useRef } from "preact/hooks";
import type { InstanceColumns, SnapshotEntry } from "../../contract/activis";
import { isError, judgementOf, judgementText, predictedName } from "../../store/judgement";
import { instanceName } from "../../store/rows";
import { attributeValue } from "../../store/tables";
import { useClassColours, useStore } from "../../ui/context";
import { InstanceGlyph } from "../../ui/glyphs";
import { Thumbnail } from "../../ui/media";
import { countText } from "../../ui/numbers";
import { listenToInstances, useInstanceMarks } from "./marked";

interface TestCasesProperties {
  snapshot: SnapshotEntry;
  instances: InstanceColumns;
}

export function TestCases({ snapshot, instances }: TestCasesProperties) {
  const store = useStore();
  const container = useRef<HTMLElement>(null);
  const rows = instances.example.flatMap((example, row) => (example ? [row] : []));
  const judgements = rows.map((row) => judgementOf(instances, row));
  const expected = judgements.filter(({ label }) => label >= 0).length;
  const right = judgements.filter(({ kind }) => kind === "right").length;
  useInstanceMarks(container, store);
  return (
    <section
      ref={container}
      class="test-cases"
      aria-label="Test cases"
      data-testid="test-cases"
      {...listenToInstances(store, instances, () => false)}
    >
      <h3 title="Instances of your own beside the recorded ones: in no count, average or subset">
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
          {textOf(instances, row) ?? instanceName(instances, row)}
        </span>
        <span class={isError(judgement) ? "row-detail wrong" : "row-detail"}>
          {judgementText(judgement, snapshot.classes)}
        </span>
      </button>
    </li>
  );
}

/** What it reads, where it is a text. */
function textOf(instances: InstanceColumns, row: number): string | null {
  const texts = instances.attributes.filter(({ type }) => type === "text");
  return texts.map((attribute) => String(attributeValue(attribute, row) ?? "")).find((text) => text !== "") ?? null;
}
