/** Groups of rows: their headings, which open and close them, the menu of their order, and the search for one. */

import type { Signal } from "@preact/signals";
import { accuracyOf } from "../../store/judgement";
import { isLow, rowAccuracy } from "../../store/row_accuracy";
import type { GroupRow, MatrixRow } from "../../store/rows";
import type { SnapshotStore } from "../../store/snapshot";
import { type RowOrder, toggle } from "../../store/url_state";
import { useSnapshot, useTab } from "../../ui/context";
import { Icon } from "../../ui/glyphs";
import { countText, percentText } from "../../ui/numbers";
import { percent } from "./row_accuracy";

interface GroupHeadingProperties {
  group: GroupRow;
  /** By key, what rows are called below the heading. */
  names: ReadonlyMap<string, string>;
  top: number;
  height: number;
  /** Among the rows of the grid. */
  position: number;
  /** Id of the element that tells assistive technology of it; null while the focus is elsewhere. */
  focusId: string | null;
}

export function GroupHeading({ group, names, top, height, position, focusId }: GroupHeadingProperties) {
  const { urlState } = useTab();
  const { id, name, isOpen } = group;
  const rows = rowsText(group);
  return (
    <div
      class={isOpen ? "group-heading" : "group-heading closed"}
      style={{ top: `${top}px`, height: `${height}px` }}
      {...gridRow(position)}
      data-testid="row-group"
      data-group={id}
    >
      <div class="row-header" {...ROW_HEADER}>
        <button
          type="button"
          tabIndex={-1}
          aria-expanded={isOpen}
          title={`${name}, ${rows}: click to ${isOpen ? "close" : "open"}`}
          onClick={() => toggle(urlState.closed, id)}
        >
          <Icon name={isOpen ? "down" : "next"} />
          <b class="row-name">{name}</b>
          <span class="row-detail">{rows}</span>
          <span class="row-accuracy">{!isOpen && <AccuracyDots group={group} />}</span>
        </button>
      </div>
      {!isOpen && <Spread group={group} names={names} />}
      {focusId !== null && <FocusedHeading group={group} id={focusId} />}
    </div>
  );
}

// Not a table's elements: the grid is virtual.
const gridRow = (position: number) => ({ role: "row", "aria-rowindex": position + 1 }) as const;
const ROW_HEADER = { role: "rowheader" } as const;
const GRID_CELL = { role: "gridcell", "aria-selected": true } as const;

const rowsText = ({ members }: GroupRow): string =>
  `${countText(members.length)} ${members.length === 1 ? "row" : "rows"}`;

/** Between which accuracies the rows of a closed group are, and the names of those that are low. */
function Spread({ group, names }: { group: GroupRow; names: ReadonlyMap<string, string> }) {
  const { range, low } = spreadOf(useSnapshot(), group);
  if (range === "") return null;
  return (
    <span class="group-spread">
      {range}
      {low.length > 0 && (
        <>
          {"; "}
          lower than over all: <b>{low.map((row) => names.get(row.key) ?? row.name).join(", ")}</b>
        </>
      )}
    </span>
  );
}

function spreadOf(store: SnapshotStore, { members }: GroupRow): { range: string; low: MatrixRow[] } {
  const known = members.flatMap((row) => {
    const accuracy = rowAccuracy(store, row);
    return accuracy && !accuracy.byDefinition ? [{ row, accuracy }] : [];
  });
  const shares = known.map(({ accuracy }) => accuracy.share);
  if (shares.length === 0) return { range: "", low: [] };
  const [least, most] = [percentText(Math.min(...shares)), percentText(Math.max(...shares))];
  return {
    range: least === most ? least : `${least.replace(" %", "")} to ${most}`,
    low: known.filter(({ accuracy }) => isLow(accuracy)).map(({ row }) => row),
  };
}

/** What assistive technology is told where the focus is on a heading. */
function FocusedHeading({ group, id }: { group: GroupRow; id: string }) {
  const { range } = spreadOf(useSnapshot(), group);
  return (
    <span id={id} class="unseen" {...GRID_CELL}>
      {group.name}, {rowsText(group)}
      {range !== "" && `, accuracies of ${range}`}, {group.isOpen ? "open; Space closes it" : "closed; Space opens it"}
    </span>
  );
}

export function RowMenu() {
  const { urlState, likenessLayer } = useTab();
  const { rows, shown, snapshot } = useSnapshot();
  const away = rows.value.filter(({ key }) => urlState.hidden.value.includes(key)).length;
  const layer = likenessLayer.value?.name;
  const orders: { order: RowOrder; label: string }[] = [
    { order: "recorded", label: "as recorded" },
    ...(snapshot.value?.unlabelled ? [] : [{ order: "accuracy" as const, label: "by accuracy, lowest first" }]),
    { order: "size", label: "by size, largest first" },
    { order: "likeness", label: `by likeness of activations${layer === undefined ? "" : ` in ${layer}`}` },
  ];
  const headings = shown.value.rows.filter((row): row is GroupRow => row.kind === "group");
  return (
    <div class="menu-body row-menu-body">
      <fieldset>
        <legend>Order of the rows</legend>
        {orders.map(({ order, label }) => (
          <label key={order}>
            <input
              type="radio"
              name="row-order"
              data-testid={`row-order-${order}`}
              checked={urlState.rowOrder.value === order}
              onChange={() => {
                urlState.rowOrder.value = order;
              }}
            />
            {label}
          </label>
        ))}
      </fieldset>
      <label>
        <input
          type="checkbox"
          data-testid="row-grouping"
          checked={headings.length > 0}
          onChange={(event) => {
            urlState.grouping.value = event.currentTarget.checked ? "attribute" : "none";
          }}
        />
        groups of one attribute
      </label>
      {away > 0 && (
        <span class="row-menu-buttons">
          <button
            type="button"
            data-testid="show-hidden"
            onClick={() => {
              urlState.hidden.value = [];
            }}
          >
            Show {countText(away)} hidden
          </button>
        </span>
      )}
      {headings.length > 0 && (
        <span class="row-menu-buttons">
          <button
            type="button"
            data-testid="close-groups"
            onClick={() => {
              urlState.closed.value = headings.map(({ id }) => id);
            }}
          >
            Close all
          </button>
          <button
            type="button"
            data-testid="open-groups"
            onClick={() => {
              urlState.closed.value = [];
            }}
          >
            Open all
          </button>
        </span>
      )}
      <p class="hint">Classes stay on top, and rows in their groups; every open panel has the same order.</p>
    </div>
  );
}

/** A dot per row of a closed group on the axis of the accuracy. */
function AccuracyDots({ group }: { group: GroupRow }) {
  const store = useSnapshot();
  const { share: all } = accuracyOf(store.snapshot.value);
  const known = group.members
    .flatMap((row) => rowAccuracy(store, row) ?? [])
    .filter(({ byDefinition }) => !byDefinition);
  if (known.length === 0) return null;
  return (
    <i class="accuracy-bar dots" aria-hidden="true">
      {known.map((accuracy, at) => (
        <i key={at} class={isLow(accuracy) ? "dot low" : "dot"} style={{ left: percent(accuracy.share) }} />
      ))}
      <i class="over-all" style={{ left: percent(all) }} />
    </i>
  );
}

export function RowSearch({ what, wanted }: { what: string; wanted: Signal<string> }) {
  return (
    <input
      type="search"
      class="row-search"
      data-testid="row-search"
      placeholder={`Search ${what}`}
      aria-label={`Search ${what}`}
      value={wanted.value}
      onInput={(event) => {
        wanted.value = event.currentTarget.value;
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || wanted.value === "") return;
        event.stopPropagation();
        wanted.value = "";
      }}
    />
  );
}
