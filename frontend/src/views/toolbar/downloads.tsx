/** Downloads of what is shown: numbers as CSV and JSON, pictures as PNG and SVG. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { LayerStore } from "../../store/layer";
import { sentenceOf } from "../../store/resource";
import { pinnedOf } from "../../store/rows";
import type { SnapshotStore } from "../../store/snapshot";
import { fileName, formatCsv, formatJson, instanceRecords, matrixTable, recordTable } from "../../store/tables";
import { useClassColours, usePalette, useSnapshot, useTab } from "../../ui/context";
import { atWidth, type Caption, pngFile, saveFile, svgFile, textFile } from "../../ui/export";
import { countText } from "../../ui/numbers";

/** Of a picture, in pixels; a matrix and its projection need some. */
const WIDTHS = { least: 280, leastOfPanel: 640, most: 4_000 };

type Make = () => Blob | Promise<Blob>;
type Formats = Record<string, Make>;

export function Downloads() {
  const tab = useTab();
  const store = useSnapshot();
  const problem = useSignal("");
  const width = useSignal("");
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
  const pictures = (selector: string, caption: Caption): Formats => picturesOf(selector, caption, Number(width.value));
  const pinned = pinnedOf(store.rows.value);
  const found = [...(tab.found.value ?? [])].flatMap((flag, row) => (flag === 1 ? [row] : []));
  return (
    <div class="menu-body">
      <ul>
        {store.layers.value
          .filter((layer) => layer.entry.value !== null)
          .map((layer) =>
            line(layer.name, `Panel ${layer.name}`, {
              csv: matrixFile(tab.perWord.value.get(layer.name) ?? { snapshot: store, layer }),
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
      <label class="picture-width">
        Width of pictures
        <input
          type="number"
          data-testid="picture-width"
          min={WIDTHS.least}
          max={WIDTHS.most}
          step={10}
          placeholder="as shown"
          title="In pixels. What is drawn is laid out anew in this width; letters keep their size"
          value={width.value}
          onInput={(event) => {
            width.value = event.currentTarget.value;
          }}
        />
        px
      </label>
      {problem.value && (
        <p class="wrong" role="alert">
          {problem.value}
        </p>
      )}
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

const matrixFile = (shown: { snapshot: SnapshotStore; layer: LayerStore }) => () =>
  textFile(formatCsv(matrixTable(shown.snapshot, shown.layer)), "text/csv");

/** @param width In pixels, as it is laid out for the picture; 0 as it is shown. */
function picturesOf(selector: string, caption: Caption, width: number): Formats {
  const element = () => {
    const shown = document.querySelector<HTMLElement>(selector);
    if (!shown) throw new Error("It is not on screen now.");
    const least = selector.startsWith("[data-testid=panel]") ? WIDTHS.leastOfPanel : WIDTHS.least;
    if (width !== 0 && !(width >= least && width <= WIDTHS.most)) {
      throw new Error(`Such a picture is ${least} to ${countText(WIDTHS.most)} pixels wide.`);
    }
    return shown;
  };
  return {
    png: () => atWidth(element(), width, (shown) => pngFile(shown, caption)),
    svg: () => atWidth(element(), width, (shown) => svgFile(shown, caption)),
  };
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
