/** Contexts of the views: the tab, the snapshot that a view shows, and the colours. */

import { signal } from "@preact/signals";
import { type Context, createContext } from "preact";
import { useContext } from "preact/hooks";
import { classColours, DARK, forcedPalette, LIGHT, type Palette } from "../draw/palette";
import { mostConfused } from "../store/confusion";
import { type Selection, snapshotsOf } from "../store/selection";
import { baseOf, type SnapshotStore } from "../store/snapshot";
import type { TabStore } from "../store/tab";

export const TabContext = createContext<TabStore | null>(null);
export const SnapshotContext = createContext<SnapshotStore | null>(null);

/** What the tab has once. */
export const useTab = (): TabStore => useGiven(TabContext);

/** The snapshot that the view shows: the base, or inside a side's columns that side's. */
export const useSnapshot = (): SnapshotStore => useGiven(SnapshotContext);

function useGiven<Store>(context: Context<Store | null>): Store {
  const store = useContext(context);
  if (!store) throw new Error("A view was used outside of its context.");
  return store;
}

/** The colours in force; the caller is drawn again when the host's or the system's theme changes. */
export function usePalette(): Palette {
  const { dark } = useTab().host;
  return forced.value ?? (dark.value ? DARK : LIGHT);
}

/** The palette of the system's contrast theme; null where none forces its colours on pages. */
const forced = signal<Palette | null>(null);

function followForcedColours(): void {
  const queries = ["(forced-colors: active)", "(prefers-color-scheme: dark)"].map((query) => matchMedia(query));
  const read = () => {
    forced.value = queries[0]?.matches ? forcedPalette(systemColours()) : null;
  };
  for (const query of queries) query.addEventListener("change", read);
  read();
}

function systemColours() {
  const probe = document.createElement("i");
  document.documentElement.append(probe);
  const read = (name: string) => {
    probe.style.color = name;
    return getComputedStyle(probe).color;
  };
  const colours = { canvas: read("Canvas"), text: read("CanvasText"), highlight: read("Highlight") };
  probe.remove();
  return colours;
}

followForcedColours();

/** Whether the page is one column that scrolls, its views as tall as what they hold; ui/column.css has the width too. */
export const isColumn = signal(false);

function followWidth(): void {
  const query = matchMedia("(max-width: 899px)");
  const read = () => {
    isColumn.value = query.matches;
  };
  query.addEventListener("change", read);
  read();
}

followWidth();

/** A colour per class of the snapshot that is shown; of one that is compared, the colours that the base gives them. */
export function useClassColours(): readonly string[] {
  const store = useSnapshot();
  const palette = usePalette();
  const named = baseOf(store).snapshot.value?.classes ?? NONE;
  const own = store.snapshot.value?.classes ?? NONE;
  const { coloured } = useTab().urlState;
  const isChosen = coloured.value.length > 0 || named.length <= palette.classes.length;
  const chosen = isChosen ? coloured.value : confusedOf(baseOf(store).selection.value, palette.classes.length);
  const before = known.get(own);
  if (before?.named === named && before.palette === palette && before.chosen === chosen) return before.colours;
  const byName = new Map(classColours(palette, named, chosen).map((colour, label) => [named[label], colour]));
  const colours = own.map((name) => byName.get(name) ?? palette.otherClass);
  known.set(own, { named, palette, chosen, colours });
  return colours;
}

const NONE: readonly string[] = [];

/** Those of the run's last step, so that colours stay from step to step. */
function confusedOf(selection: Selection | null, most: number): readonly string[] {
  if (!selection) return NONE;
  const { run, snapshot } = selection;
  const names = confused.get(selection) ?? mostConfused(snapshotsOf(run, snapshot.name).at(-1) ?? snapshot, most);
  confused.set(selection, names);
  return names;
}

const confused = new WeakMap<Selection, readonly string[]>();

interface KnownColours {
  named: readonly string[];
  palette: Palette;
  chosen: readonly string[];
  colours: readonly string[];
}

/** The same for the same: each of a thousand classes' components asks for them. */
const known = new WeakMap<readonly string[], KnownColours>();
