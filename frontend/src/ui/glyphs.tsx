/** Glyphs of classes, subsets, instances and layers, the same everywhere. */
import type { Judgement } from "../store/judgement";

export function ClassDot({ colour }: { colour: string | undefined }) {
  return <i class="class-dot" style={{ background: colour }} aria-hidden="true" />;
}

export const SubsetGlyph = () => <i class="subset-glyph" aria-hidden="true" />;

/**
 * A square filled with the true class's colour, and framed by the predicted one's where that is another, by the text's
 * where it is predicted as nothing. Without a label it is filled with the predicted class's.
 */
export function InstanceGlyph({ judgement, colours }: { judgement: Judgement; colours: readonly string[] }) {
  const { look, style } = glyphOf(judgement, colours);
  return <i class={`instance-glyph${look}`} style={style} aria-hidden="true" />;
}

/** The classes and the style of an instance's square. */
export function glyphOf({ kind, label, predicted }: Judgement, colours: readonly string[]) {
  const truth = colours[label] ?? "";
  if (kind === "nothing") return { look: " wrong nothing", style: { "--truth": truth || "transparent" } };
  if (kind === "wrong") return { look: " wrong", style: { "--truth": truth, "--found": colours[predicted] ?? "" } };
  const background = kind === "right" ? truth : (colours[predicted] ?? "");
  return { look: "", style: { "--truth": background } };
}

/** The recorded tensor's sign, as it looks in the graph when it is selected. */
export const LayerGlyph = () => <i class="layer-glyph" aria-hidden="true" />;

/** The letter of one of the runs that are compared, in its colour. */
export const SideBadge = ({ letter }: { letter: string }) => (
  <span class="side-badge" data-letter={letter}>
    {letter}
  </span>
);

const PATHS = {
  close: "M6 6 L18 18 M18 6 L6 18",
  plus: "M12 5 V19 M5 12 H19",
  minus: "M5 12 H19",
  fit: "M4 9 V4 H9 M15 4 H20 V9 M20 15 V20 H15 M9 20 H4 V15",
  locked: "M5 11 H19 V21 H5 Z M8 11 V8 a4 4 0 0 1 8 0 V11",
  unlocked: "M5 11 H19 V21 H5 Z M8 11 V7 a4 4 0 0 1 7.5 -2",
  up: "M5 15 L12 8 L19 15",
  down: "M5 9 L12 16 L19 9",
  maximise: "M14 4 H20 V10 M10 20 H4 V14 M20 4 L14 10 M4 20 L10 14",
  restore: "M20 10 H14 V4 M4 14 H10 V20 M14 10 L20 4 M10 14 L4 20",
  previous: "M15 5 L8 12 L15 19",
  next: "M9 5 L16 12 L9 19",
  play: "M7 4 L19 12 L7 20 Z",
  pause: "M8 5 V19 M16 5 V19",
  steps: "M4 18 L9 11 L14 14 L20 5 M4 21 H20",
  search: "M10.5 4 a6.5 6.5 0 1 0 0 13 a6.5 6.5 0 1 0 0 -13 M15.5 15.5 L20 20",
  download: "M12 4 V15 M7 10.5 L12 15.5 L17 10.5 M5 20 H19",
  help: "M9 9 a3 3 0 1 1 4.5 2.6 c-1 0.6 -1.5 1.2 -1.5 2.4 M12 17.5 V17.6 M12 3 a9 9 0 1 0 0 18 a9 9 0 1 0 0 -18",
  flag: "M5 21 V4 H19 L16 9 L19 14 H5",
  filter: "M4 5 H20 L14 12.5 V19 L10 17 V12.5 Z",
  grip: "M9 6 V6.1 M15 6 V6.1 M9 12 V12.1 M15 12 V12.1 M9 18 V18.1 M15 18 V18.1",
  copy: "M9 9 H20 V20 H9 Z M5 15 H4 V4 H15 V5",
  edit: "M4 20 L5 16 L16 5 L19 8 L8 19 Z",
  compare: "M8 5 L4 9 L8 13 M4 9 H18 M16 11 L20 15 L16 19 M20 15 H6",
  swap: "M7 4 L3 8 L7 12 M3 8 H21 M17 12 L21 16 L17 20 M21 16 H3",
  lasso:
    "M12 4 C6 4 3 7 3 10 C3 14 7 16 12 16 C17 16 21 14 21 10 C21 7 18 4 12 4 M8 15 C6 16 6 19 9 18 C10 18 10 21 7 21",
  aside: "M4 5 H20 V19 H4 Z M14 5 V19",
  newest: "M5 6 L11 12 L5 18 M12 6 L18 12 L12 18 M20 5 V19",
  link: "M10 14 a4 4 0 0 0 6 0 l3 -3 a4 4 0 0 0 -6 -6 l-1 1 M14 10 a4 4 0 0 0 -6 0 l-3 3 a4 4 0 0 0 6 6 l1 -1",
} as const;

export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" width="16" height="16" aria-hidden="true">
      <path d={PATHS[name]} fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" />
    </svg>
  );
}
