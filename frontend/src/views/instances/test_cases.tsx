/** The user's own test cases, above the instances: each as expected or not. */

import { useRef } from "preact/hooks";
import type { InstanceColumns, SnapshotEntry } from "../../contract/activis";
import { instanceName } from "../../state/rows";
import { attributeValue } from "../../state/tables";
import { InstanceGlyph } from "../widgets/glyphs";
import { Thumbnail } from "../widgets/media";
import { countText } from "../widgets/numbers";
import { useClassColours, useStore } from "../widgets/store";
import { listenToInstances, useInstanceMarks } from "./marked";

interface TestCasesProperties {
  snapshot: SnapshotEntry;
  instances: InstanceColumns;
}

export function TestCases({ snapshot, instances }: TestCasesProperties) {
  const store = useStore();
  const container = useRef<HTMLElement>(null);
  const rows = instances.example.flatMap((example, row) => (example ? [row] : []));
  const right = rows.filter((row) => instances.label[row] === instances.predicted[row]).length;
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
          {countText(right)} of {countText(rows.length)} as expected
        </span>
        {right < rows.length && <span class="wrong-count">{countText(rows.length - right)} not</span>}
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
  const label = instances.label[row] ?? -1;
  const predicted = instances.predicted[row] ?? -1;
  const wrong = label !== predicted;
  const [expected, found] = [snapshot.classes[label], snapshot.classes[predicted]];
  return (
    <li>
      <button
        type="button"
        data-testid="test-case"
        data-row={row}
        data-correct={String(!wrong)}
        title={`${instanceName(instances, row)}: expected ${expected}, predicted ${found}`}
      >
        <InstanceGlyph truth={colours[label]} predicted={wrong ? colours[predicted] : null} />
        <span class="test-case-name">
          <Thumbnail row={row} />
          {textOf(instances, row) ?? instanceName(instances, row)}
        </span>
        <span class={wrong ? "row-detail wrong" : "row-detail"}>{wrong ? `${expected} → ${found}` : `${found} ✓`}</span>
      </button>
    </li>
  );
}

/** What it reads, where it is a text. */
function textOf(instances: InstanceColumns, row: number): string | null {
  const texts = instances.attributes.filter(({ type }) => type === "text");
  return texts.map((attribute) => String(attributeValue(attribute, row) ?? "")).find((text) => text !== "") ?? null;
}
