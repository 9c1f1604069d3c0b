/** One of the user's subsets: its name to change, its condition, and what can be done with it. */
import { typedKey } from "../../store/rows";
import { duplicateSubset, type NamedCondition } from "../../store/subset_list";
import { useStore } from "../../ui/context";
import { populationText, roughCountText } from "../../ui/exactness";
import { Icon } from "../../ui/glyphs";

interface SubsetLineProperties {
  subset: NamedCondition;
  ticked: readonly string[];
  tick: (key: string) => void;
  /** Moves it up or down. */
  move: (by: -1 | 1) => void;
  /** Says that it is taken, and that the taken one is let go on it. */
  drag: () => void;
  drop: () => void;
}

export function SubsetLine({ subset, ticked, tick, move, drag, drop }: SubsetLineProperties) {
  const { subsets, hover } = useStore();
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
  const { subsets } = useStore();
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
        event.stopPropagation();
        event.currentTarget.value = name;
        event.currentTarget.blur();
      }}
    />
  );
}

function LineCount({ condition }: { condition: string }) {
  const { subsets } = useStore();
  const state = subsets.answers.value.get(condition);
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
  const { subsets, draft, hover } = useStore();
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
