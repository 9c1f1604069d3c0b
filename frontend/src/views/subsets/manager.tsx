/** Manager of the user's subsets: named, ordered, combined, exported and imported. */

import { useComputed, useSignal } from "@preact/signals";
import type { Combination } from "../../language/tokens";
import { sentenceOf } from "../../store/resource";
import { type RecordedRow, subsetRows, typedKey } from "../../store/rows";
import type { SnapshotStore } from "../../store/snapshot";
import { conditionOf } from "../../store/subset_from_click";
import {
  combineSubsets,
  duplicateSubset,
  exportSubsets,
  importSubsets,
  moveSubset,
  type NamedCondition,
} from "../../store/subset_list";
import { fileName } from "../../store/tables";
import { toggle } from "../../store/url_state";
import { useSnapshot, useTab } from "../../ui/context";
import { populationText, roughCountText } from "../../ui/exactness";
import { saveFile, textFile } from "../../ui/export";
import { Icon } from "../../ui/glyphs";
import { countText } from "../../ui/numbers";

const COMBINATIONS: { combination: Combination; label: string; meaning: string; least: number }[] = [
  { combination: "and", label: "And", meaning: "Instances that are in all of them", least: 2 },
  { combination: "or", label: "Or", meaning: "Instances that are in at least one of them", least: 2 },
  { combination: "minus", label: "Minus", meaning: "Instances of the first that are in none of the others", least: 2 },
  { combination: "not", label: "Not", meaning: "Instances that are in none of them", least: 1 },
];

interface TickedProperties {
  ticked: readonly string[];
}

interface TickingProperties extends TickedProperties {
  tick: (key: string) => void;
}

function Classes({ ticked, tick }: TickingProperties) {
  const { snapshot } = useSnapshot();
  const rows = snapshot.value ? subsetRows(snapshot.value).filter(({ kind }) => kind === "class") : [];
  if (rows.length === 0) return null;
  return (
    <fieldset class="combinable">
      <legend>Classes</legend>
      {rows.map(({ key, name }) => (
        <label key={key}>
          <input type="checkbox" checked={ticked.includes(key)} onChange={() => tick(key)} />
          {name}
        </label>
      ))}
    </fieldset>
  );
}

/** The subsets that were recorded: their names and order are the recording's, their rows can be hidden. */
function RecordedSubsets(properties: TickingProperties) {
  const { snapshot } = useSnapshot();
  const rows = snapshot.value ? subsetRows(snapshot.value).filter(({ kind }) => kind === "recorded") : [];
  if (rows.length === 0) return null;
  const isEvery = rows.every((row) => snapshot.value && conditionOf(row, snapshot.value) !== null);
  return (
    <section class="recorded-subsets" aria-label="Recorded subsets">
      <b>Recorded</b>
      <ul class="subset-lines">
        {rows.map((row) => (
          <RecordedLine key={row.key} row={row} {...properties} />
        ))}
      </ul>
      {!isEvery && (
        <p class="hint" data-testid="without-condition">
          Where a function or a list said who belongs to a subset, there is no condition: it is hidden, sorted by,
          locked and compared as others are, but not renamed, combined or exported.
        </p>
      )}
    </section>
  );
}

function RecordedLine({ row, ticked, tick }: TickingProperties & { row: RecordedRow }) {
  const { subsets, urlState } = useTab();
  const { hover, snapshot } = useSnapshot();
  const { key, name } = row;
  const part = snapshot.value && conditionOf(row, snapshot.value);
  const isHidden = urlState.hidden.value.includes(key);
  return (
    <li
      class={isHidden ? "put-away" : ""}
      data-testid="recorded-line"
      data-name={name}
      onPointerEnter={() => {
        hover.value = { source: "label", row };
      }}
      onPointerLeave={() => {
        hover.value = null;
      }}
    >
      <input
        type="checkbox"
        aria-label={`Combine ${name}`}
        title={part ? "" : "It has no condition that others could be combined with"}
        checked={ticked.includes(key)}
        disabled={!part}
        onChange={() => tick(key)}
      />
      <button
        type="button"
        class="hide-row"
        data-testid="subset-hide"
        aria-label={`${isHidden ? "Show" : "Hide"} ${name}`}
        title={isHidden ? "Its row is hidden" : "Hide its row"}
        onClick={() => toggle(urlState.hidden, key)}
      >
        {isHidden ? "Show" : "Hide"}
      </button>
      <span class="recorded-name" title={name}>
        {name}
      </span>
      {part ? (
        <code title={part.condition}>{part.condition === name ? "" : part.condition}</code>
      ) : (
        <span class="hint">by a function or a list</span>
      )}
      <span>{countText(snapshot.value?.subsets[row.subset]?.count ?? 0)}</span>
      <span class="line-actions">
        {part && (
          <button
            type="button"
            class="quiet"
            data-testid="subset-copy"
            aria-label={`Copy ${name} to your subsets`}
            title="Copy it to your subsets, to be renamed, ordered and edited"
            onClick={() => subsets.add(part.condition, name)}
          >
            <Icon name="copy" />
          </button>
        )}
      </span>
    </li>
  );
}

function Combine({ ticked, done }: TickedProperties & { done: () => void }) {
  const { subsets } = useTab();
  const store = useSnapshot();
  const typed = subsets.list.value.map((subset): [string, NamedCondition] => [typedKey(subset.name), subset]);
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
            subsets.add(condition, name);
            done();
          }}
        >
          {label}
        </button>
      ))}
    </fieldset>
  );
}

function recordedParts({ snapshot: { value: snapshot } }: SnapshotStore): Map<string, NamedCondition> {
  const rows = snapshot ? subsetRows(snapshot) : [];
  return new Map(
    rows.flatMap((row): [string, NamedCondition][] => {
      const part = snapshot && conditionOf(row, snapshot);
      return part ? [[row.key, part]] : [];
    }),
  );
}

function Exchange() {
  const store = useSnapshot();
  const { subsets } = useTab();
  const problem = useSignal("");
  const load = async (input: HTMLInputElement) => {
    const [file] = input.files ?? [];
    if (!file) return;
    try {
      subsets.replace(importSubsets(subsets.list.peek(), await file.text()));
      problem.value = "";
    } catch (error) {
      problem.value = `${file.name}: ${sentenceOf(error)}`;
    }
    input.value = "";
  };
  return (
    <>
      <span class="exchange">
        <label class="file-button">
          Import
          <input
            type="file"
            class="unseen"
            accept=".json,application/json"
            data-testid="subset-import"
            onChange={(event) => void load(event.currentTarget)}
          />
        </label>
        <button
          type="button"
          data-testid="subset-export"
          title="JSON with names and conditions, as preprocess(subsets=...) takes them"
          disabled={subsets.list.value.length === 0}
          onClick={() =>
            saveFile(
              fileName(store, "subsets", "json"),
              textFile(exportSubsets(subsets.list.peek()), "application/json"),
            )
          }
        >
          Export
        </button>
      </span>
      {problem.value !== "" && (
        <p class="wrong" role="alert" data-testid="subset-import-error">
          {problem.value}
        </p>
      )}
    </>
  );
}

interface SubsetLineProperties extends TickingProperties {
  subset: NamedCondition;
  /** Moves it up or down. */
  move: (by: -1 | 1) => void;
  /** Says that it is taken, and that the taken one is let go on it. */
  drag: () => void;
  drop: () => void;
}

function SubsetLine({ subset, ticked, tick, move, drag, drop }: SubsetLineProperties) {
  const { subsets } = useTab();
  const { hover } = useSnapshot();
  const { name, condition } = subset;
  const row = subsets.rows.value.find(({ key }) => key === typedKey(name));
  return (
    <li
      data-testid="subset-line"
      data-name={name}
      onPointerEnter={() => {
        if (row) hover.value = { source: "label", row };
      }}
      onPointerLeave={() => {
        hover.value = null;
      }}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        drop();
      }}
    >
      <input
        type="checkbox"
        aria-label={`Combine ${name}`}
        checked={ticked.includes(typedKey(name))}
        onChange={() => tick(typedKey(name))}
      />
      <button
        type="button"
        class="quiet grip"
        draggable
        data-testid="subset-grip"
        aria-label={`Move ${name}: arrow up, arrow down`}
        title="Drag, or use the arrow keys"
        onDragStart={drag}
        onKeyDown={(event) => {
          if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
          event.preventDefault();
          move(event.key === "ArrowUp" ? -1 : 1);
        }}
      >
        <Icon name="grip" />
      </button>
      <NameField subset={subset} />
      <code title={condition}>{condition === name ? "" : condition}</code>
      <LineCount condition={condition} />
      <LineActions subset={subset} />
    </li>
  );
}

function NameField({ subset: { name, condition } }: { subset: NamedCondition }) {
  const { subsets } = useTab();
  return (
    <input
      type="text"
      class="subset-name"
      data-testid="subset-name"
      aria-label={`Name of ${name}`}
      maxLength={200}
      placeholder={condition}
      value={name}
      onChange={(event) => subsets.rename(name, event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Enter") event.currentTarget.blur();
        if (event.key !== "Escape") return;
        event.preventDefault();
        event.stopPropagation();
        event.currentTarget.value = name;
        event.currentTarget.blur();
      }}
    />
  );
}

function LineCount({ condition }: { condition: string }) {
  const state = useSnapshot().answers.value.get(condition);
  if (state?.status === "error")
    return (
      <span class="wrong" title={state.message}>
        !
      </span>
    );
  const answer = state?.value;
  return <span title={answer && populationText(answer)}>{answer ? roughCountText(answer) : "…"}</span>;
}

function LineActions({ subset: { name, condition } }: { subset: NamedCondition }) {
  const { draft } = useTab();
  const { subsets } = useTab();
  const { hover } = useSnapshot();
  return (
    <span class="line-actions">
      <button
        type="button"
        class="quiet"
        data-testid="subset-edit"
        aria-label={`Put the condition of ${name} in the bar`}
        title="Put its condition in the bar"
        onClick={() => {
          draft.text.value = condition;
        }}
      >
        <Icon name="edit" />
      </button>
      <button
        type="button"
        class="quiet"
        data-testid="subset-duplicate"
        aria-label={`Duplicate ${name}`}
        title="Duplicate"
        onClick={() => subsets.replace(duplicateSubset(subsets.list.peek(), name))}
      >
        <Icon name="copy" />
      </button>
      <button
        type="button"
        class="quiet"
        data-testid="subset-remove"
        aria-label={`Remove ${name}`}
        title="Remove"
        onClick={() => {
          hover.value = null;
          subsets.remove(name);
        }}
      >
        <Icon name="close" />
      </button>
    </span>
  );
}

export function SubsetSheet() {
  const { subsets } = useTab();
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
      <RecordedSubsets ticked={parts} tick={tick} />
      <Classes ticked={parts} tick={tick} />
      <Combine
        ticked={parts}
        done={() => {
          ticked.value = [];
        }}
      />
    </div>
  );
}
