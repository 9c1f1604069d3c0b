/** Several subsets as one: their conditions put together, as a subset more. */
import { type Combination, quoteText } from "../../language/tokens";
import { subsetRows, typedKey } from "../../store/rows";
import type { Store } from "../../store/store";
import { combineSubsets, type NamedCondition } from "../../store/subset_list";
import { useStore } from "../../ui/context";

const COMBINATIONS: { combination: Combination; label: string; meaning: string; least: number }[] = [
  { combination: "and", label: "And", meaning: "Instances that are in all of them", least: 2 },
  { combination: "or", label: "Or", meaning: "Instances that are in one of them at least", least: 2 },
  { combination: "minus", label: "Minus", meaning: "Instances of the first that are in none of the others", least: 2 },
  { combination: "not", label: "Not", meaning: "Instances that are in none of them", least: 1 },
];

interface TickedProperties {
  ticked: readonly string[];
}

/** The classes, and the recorded subsets that have a condition. */
export function Combinable({ ticked, tick }: TickedProperties & { tick: (key: string) => void }) {
  const parts = recordedParts(useStore());
  if (parts.size === 0) return null;
  return (
    <fieldset class="combinable">
      <legend>Recorded</legend>
      {[...parts].map(([key, { name }]) => (
        <label key={key}>
          <input type="checkbox" checked={ticked.includes(key)} onChange={() => tick(key)} />
          {name}
        </label>
      ))}
    </fieldset>
  );
}

export function Combine({ ticked, done }: TickedProperties & { done: () => void }) {
  const store = useStore();
  const typed = store.subsets.list.value.map((subset): [string, NamedCondition] => [typedKey(subset.name), subset]);
  const all = new Map([...recordedParts(store), ...typed]);
  const parts = ticked.flatMap((key) => all.get(key) ?? []);
  return (
    <fieldset class="combine">
      <legend>{parts.length > 0 ? parts.map(({ name }) => name).join(", ") : "Tick subsets to combine them"}</legend>
      {COMBINATIONS.map(({ combination, label, meaning, least }) => (
        <button
          key={combination}
          type="button"
          data-testid={`combine-${combination}`}
          title={meaning}
          disabled={parts.length < least}
          onClick={() => {
            const { name, condition } = combineSubsets(combination, parts);
            store.subsets.add(condition, name);
            done();
          }}
        >
          {label}
        </button>
      ))}
    </fieldset>
  );
}

function recordedParts({ catalogue }: Store): Map<string, NamedCondition> {
  const snapshot = catalogue.snapshot.value;
  const rows = snapshot ? subsetRows(snapshot) : [];
  return new Map(
    rows.flatMap(({ key, name, kind, subset }): [string, NamedCondition][] => {
      const condition = kind === "class" ? `label = ${quoteText(name)}` : (snapshot?.subsets[subset]?.condition ?? "");
      return condition === "" ? [] : [[key, { name, condition }]];
    }),
  );
}
