/** The instances of one true label. */

import { memo } from "preact/compat";
import type { InstanceColumns, SubsetEntry } from "../../contract/activis";
import { instanceName } from "../../state/rows";
import { ClassDot } from "../widgets/glyphs";
import { countText, percentText } from "../widgets/numbers";
import { useClassColours } from "../widgets/store";
import type { Group } from "./grouping";

/** About how many squares are drawn on either side of all groups together; the others are counted. */
const MOST_SQUARES = 2000;
const FEWEST_PER_GROUP = 60;

interface InstanceGroupProperties {
  label: number;
  group: Group;
  instances: InstanceColumns;
  classes: readonly string[];
  subset: SubsetEntry | undefined;
}

export const InstanceGroup = memo(function InstanceGroup(properties: InstanceGroupProperties) {
  const { label, group, classes, subset } = properties;
  const colours = useClassColours();
  const count = subset?.count ?? 0;
  const correct = subset?.correct ?? 0;
  return (
    <section class="instance-group">
      <h3>
        <ClassDot colour={colours[label]} />
        <span class="class-name" title={classes[label]}>
          {classes[label]}
        </span>
        <span class="group-count">
          {count > 0 ? `${countText(correct)} of ${countText(count)} · ${percentText(correct / count)}` : "none"}
        </span>
        <span class={count - correct > 0 ? "wrong-count" : "wrong-count none"}>{countText(count - correct)}</span>
      </h3>
      <div class="squares correct">
        <Squares {...properties} rows={group.correct} />
      </div>
      <div class="squares misclassified">
        <Squares {...properties} rows={group.misclassified} />
      </div>
    </section>
  );
});

function Squares({ rows, label, instances, classes }: InstanceGroupProperties & { rows: readonly number[] }) {
  const colours = useClassColours();
  const most = Math.max(FEWEST_PER_GROUP, Math.floor(MOST_SQUARES / classes.length));
  return (
    <>
      {rows.slice(0, most).map((row) => {
        const predicted = instances.predicted[row] ?? -1;
        const correct = predicted === label;
        const name = `${instanceName(instances, row)}, ${classes[label]}`;
        return (
          <button
            key={row}
            type="button"
            tabIndex={row === rows[0] ? 0 : -1}
            class={correct ? "instance-glyph" : "instance-glyph wrong"}
            style={
              correct
                ? { background: colours[label] }
                : { "--truth": colours[label] ?? "", borderColor: colours[predicted] }
            }
            data-testid="instance-square"
            data-row={row}
            data-label={classes[label]}
            data-predicted={classes[predicted]}
            data-correct={String(correct)}
            aria-label={correct ? name : `${name}, predicted ${classes[predicted]}`}
          />
        );
      })}
      {rows.length > most && <span class="more">+ {countText(rows.length - most)} more</span>}
    </>
  );
}
