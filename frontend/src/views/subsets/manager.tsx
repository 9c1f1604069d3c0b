/** The user's subsets as a list: named, ordered, combined, taken along. */

import { useComputed, useSignal } from "@preact/signals";
import { moveSubset } from "../../store/subset_list";
import { useStore } from "../../ui/context";
import { Popup } from "../../ui/controls";
import { Combinable, Combine } from "./combine";
import { Exchange } from "./exchange";
import { SubsetLine } from "./subset_line";

export function SubsetManager() {
  const { subsets } = useStore();
  const count = subsets.list.value.length;
  return (
    <Popup class="subset-manager" summary={count > 0 ? `Subsets · ${count}` : "Subsets"} testId="subset-manager">
      <SubsetSheet />
    </Popup>
  );
}

function SubsetSheet() {
  const { subsets } = useStore();
  /** Names of rows, in the order of ticking. */
  const ticked = useSignal<readonly string[]>([]);
  const dragged = useSignal("");
  const list = subsets.list.value;
  const move = (name: string, to: number) => subsets.replace(moveSubset(list, name, to));
  const parts = useComputed(() => ticked.value).value;
  const tick = (key: string) => {
    ticked.value = parts.includes(key) ? parts.filter((other) => other !== key) : [...parts, key];
  };
  return (
    <div class="subset-sheet card">
      <header>
        <b>Your subsets</b>
        <Exchange />
      </header>
      {list.length === 0 && (
        <p class="hint">Type a condition in the bar and press Enter: it becomes a row everywhere.</p>
      )}
      <ul class="subset-lines">
        {list.map((subset, position) => (
          <SubsetLine
            key={subset.name}
            subset={subset}
            ticked={parts}
            tick={tick}
            move={(by) => move(subset.name, position + by)}
            drag={() => {
              dragged.value = subset.name;
            }}
            drop={() => move(dragged.peek(), position)}
          />
        ))}
      </ul>
      <Combinable ticked={parts} tick={tick} />
      <Combine
        ticked={parts}
        done={() => {
          ticked.value = [];
        }}
      />
    </div>
  );
}
