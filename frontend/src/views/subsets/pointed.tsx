/** What came of pointing, and the pinned instances as a subset. */
import { listedInstances } from "../../store/subset_from_click";
import { useStore } from "../../ui/context";
import { countText } from "../../ui/numbers";

export function PointedNote() {
  const said = useStore().pointing.said.value;
  return (
    <span
      role="status"
      class={said?.refused ? "pointed-note wrong" : "pointed-note"}
      data-testid="pointed-note"
      title={said?.sentence}
    >
      {said?.sentence}
    </span>
  );
}

/** Makes one subset of all pinned instances. */
export function PinnedButton() {
  const { instances, rows, pointing } = useStore();
  const pinned = rows.value.filter((row) => row.kind === "instance").map((row) => row.sampled);
  const columns = instances.state.value.value;
  if (!columns || pinned.length === 0) return null;
  const count = `${countText(pinned.length)} pinned`;
  return (
    <button
      type="button"
      class="pinned-button"
      data-testid="subset-pinned"
      title="Make a subset of the pinned instances"
      onClick={() => pointing.point(listedInstances(count, columns, pinned))}
    >
      {count}
    </button>
  );
}
