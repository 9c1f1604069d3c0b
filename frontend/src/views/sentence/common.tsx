/** Common subset of a confusion in words, as the end of its sentence. */

import { useMemo } from "preact/hooks";
import type { SnapshotEntry } from "../../contract/activis";
import { commonSubset } from "../../store/common_subset";
import type { Confusion } from "../../store/confusion";
import { litRow } from "../../store/lit";
import { listedInstances } from "../../store/subset_from_click";
import { useSnapshot } from "../../ui/context";
import { countText, percentText } from "../../ui/numbers";
import { Part } from "./part";

interface CommonWordsProperties {
  confusion: Confusion;
  snapshot: SnapshotEntry;
}

/** A recorded subset that most of them are in, and how many of the others of their class are; nothing where no test holds. */
export function CommonWords({ confusion, snapshot }: CommonWordsProperties) {
  const store = useSnapshot();
  const columns = store.columns.value;
  const membership = store.membership.state.value.value;
  const common = useMemo(
    () => (columns && membership ? commonSubset(confusion, snapshot, columns, membership) : null),
    [confusion, snapshot, columns, membership],
  );
  const row = store.rows.value.find((one) => one.kind === "recorded" && one.subset === common?.subset);
  if (!common || !row || !columns) return null;
  const count = countText(common.members.length);
  const both = listedInstances(`${count} in ${row.name}`, columns, common.members);
  if (typeof both === "string") return null;
  return (
    <>
      {"; "}
      <Part lit={litRow(both)}>{count} of them</Part>
      {" are in "}
      <Part lit={row}>“{row.name}”</Part>
      {`, of the other ${snapshot.classes[confusion.label]} ${percentText(common.elsewhere)}`}
    </>
  );
}
