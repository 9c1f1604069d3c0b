/** Downloads of what is shown: numbers as CSV and JSON, pictures as PNG and SVG. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { LayerStore } from "../../store/layer";
import { sentenceOf } from "../../store/resource";
import { pinnedOf } from "../../store/rows";
import type { SnapshotStore } from "../../store/snapshot";
import { fileName, formatCsv, formatJson, instanceRecords, matrixTable, recordTable } from "../../store/tables";
import { useClassColours, usePalette, useSnapshot, useTab } from "../../ui/context";
import { type Caption, pngFile, saveFile, svgFile, textFile } from "../../ui/export";
import { countText } from "../../ui/numbers";

type Make = () => Blob | Promise<Blob>;
type Formats = Record<string, Make>;

export function Downloads() {
  const tab = useTab();
  const store = useSnapshot();
  const problem = useSignal("");
  const save = async (what: string, extension: string, make: Make) => {
    try {
      saveFile(fileName(store, what, extension), await make());
      problem.value = "";
    } catch (error) {
      problem.value = sentenceOf(error);
    }
  };
  const line = (what: string, name: ComponentChildren, formats: Formats) => (
    <li key={what}>
      <span>{name}</span>
      {Object.entries(formats).map(([extension, make]) => (
        <button
          key={extension}
          type="button"
          data-testid="download"
          data-what={what}
          data-format={extension}
          aria-label={`${what} as ${extension.toUpperCase()}`}
          onClick={() => void save(what, extension, make)}
        >
          {extension.toUpperCase()}
        </button>
      ))}
    </li>
  );
  const captionOf = useCaption();
  const pinned = pinnedOf(store.rows.value);
  const found = [...(tab.found.value ?? [])].flatMap((flag, row) => (flag === 1 ? [row] : []));
  return (
    <div class="menu-body">
      <ul>
        {store.layers.value
          .filter((layer) => layer.entry.value !== null)
          .map((layer) =>
            line(layer.name, `Panel ${layer.name}`, {
              csv: matrixFile(store, layer),
              ...pictures(
                `[data-testid=panel][data-layer=${CSS.escape(layer.name)}]`,
                captionOf(layer.name, `${countText(layer.entry.value?.neurons ?? 0)} neurons`),
              ),
            }),
          )}
        {line(
          "graph",
          "Computation graph",
          pictures("[data-testid=graph]", { ...captionOf("Computation graph"), legend: [] }),
        )}
        {line("instances", "Instances", pictures("[data-testid=instances]", captionOf("Instances")))}
        {pinned.length > 0 && line("pinned", `${countText(pinned.length)} pinned`, recordFiles(store, pinned))}
        {found.length > 0 && line("found", `${countText(found.length)} found`, recordFiles(store, found))}
      </ul>
      {problem.value && <p class="wrong">{problem.value}</p>}
      <p class="hint">
        As shown now: rows, order of the neurons, theme. Pin instances, or find some, to take them along.
      </p>
    </div>
  );
}

/** Returns what a figure says of itself: its name, run, step and size, and what the colours mean. */
function useCaption(): (title: string, size?: string) => Caption {
  const store = useSnapshot();
  const { comparing } = useTab();
  const { card, text, secondary, otherClass } = usePalette();
  const colours = useClassColours();
  const snapshot = store.snapshot.value;
  const classes = snapshot?.classes ?? [];
  const named = classes.map((name, label) => ({ name, colour: colours[label] ?? otherClass }));
  const sides = comparing.sides.value.map(
    ({ letter, run, view }) => `${letter}: ${run.value?.label ?? ""} step ${countText(view.snapshot.value?.step ?? 0)}`,
  );
  return (title, size) => ({
    title,
    details: [
      store.selection.value?.run.label,
      snapshot?.name,
      `step ${countText(snapshot?.step ?? 0)}`,
      `${countText(snapshot?.instances ?? 0)} instances`,
      size,
      ...sides,
    ].filter((part) => part !== undefined),
    legend: named.filter(({ colour }) => colour !== otherClass),
    colours: { ground: card, text, secondary },
  });
}

const matrixFile = (store: SnapshotStore, layer: LayerStore) => () =>
  textFile(formatCsv(matrixTable(store, layer)), "text/csv");

function pictures(selector: string, caption: Caption): Formats {
  const element = () => {
    const shown = document.querySelector(selector);
    if (!shown) throw new Error("It is not on screen now.");
    return shown;
  };
  return { png: () => pngFile(element(), caption), svg: () => svgFile(element(), caption) };
}

function recordFiles(store: SnapshotStore, rows: readonly number[]): Formats {
  const records = () => {
    const snapshot = store.snapshot.peek();
    const instances = store.instances.state.peek().value;
    return snapshot && instances ? instanceRecords(snapshot, instances, rows) : [];
  };
  return {
    csv: () => textFile(formatCsv(recordTable(records())), "text/csv"),
    json: () => textFile(formatJson(records()), "application/json"),
  };
}
