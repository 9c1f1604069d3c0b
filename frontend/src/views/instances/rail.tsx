/** Rail of the instances that are put aside: how many there are, and of each class how many are right. */
import type { SnapshotEntry, Subset } from "../../contract/activis";
import { accuracyOf, accuracyOfRow } from "../../store/judgement";
import { useClassColours, useSnapshot } from "../../ui/context";
import { leaveHover } from "../../ui/lighting";
import { countText, percentText } from "../../ui/numbers";

export function InstanceRail({ snapshot }: { snapshot: SnapshotEntry }) {
  const colours = useClassColours();
  const { classes, instances, subsets, unlabelled } = snapshot;
  return (
    <>
      <p class="rail-total" title={`${countText(instances)} instances`}>
        {countText(instances)}
        {!unlabelled && <b>{percentText(accuracyOf(snapshot).share)}</b>}
      </p>
      {!unlabelled && (
        <ul class="rail-classes">
          {classes.map((name, label) => {
            const subset = subsets[label];
            return subset && <RailClass key={name} subset={subset} label={label} colour={colours[label]} />;
          })}
        </ul>
      )}
    </>
  );
}

interface RailClassProperties {
  subset: Subset;
  label: number;
  colour: string | undefined;
}

/** Hovering lights the class everywhere, as its row does. */
function RailClass({ subset: { name, count, correct = 0 }, label, colour }: RailClassProperties) {
  const { hover, rows } = useSnapshot();
  const share = accuracyOfRow({ count, correct }) ?? 0;
  return (
    <li
      title={`${name}: ${countText(correct)} of ${countText(count)} right`}
      onPointerEnter={() => {
        const row = rows.peek().find((candidate) => candidate.kind === "class" && candidate.subset === label);
        if (row) hover.value = { source: "instances", row };
      }}
      onPointerLeave={() => leaveHover(hover)}
    >
      <span class="rail-name">{name}</span>
      <i class="rail-bar" aria-hidden="true">
        <i style={{ height: `${100 * share}%`, background: colour }} />
      </i>
      <span class="wrong">{countText(count - correct)}</span>
    </li>
  );
}
