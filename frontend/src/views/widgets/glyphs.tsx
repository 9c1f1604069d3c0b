/** The small signs that stand for classes, subsets, instances and layers, the same everywhere. */

export function ClassDot({ colour }: { colour: string | undefined }) {
  return <i class="class-dot" style={{ background: colour }} aria-hidden="true" />;
}

export const SubsetGlyph = () => <i class="subset-glyph" aria-hidden="true" />;

/** A square filled with the true class's colour, and framed by the predicted one's where that is another. */
export function InstanceGlyph({
  truth,
  predicted,
}: {
  truth: string | undefined;
  predicted: string | null | undefined;
}) {
  const style = predicted
    ? { "--truth": truth ?? "", borderColor: predicted }
    : { "--truth": truth ?? "", background: truth };
  return <i class={predicted ? "instance-glyph wrong" : "instance-glyph"} style={style} aria-hidden="true" />;
}

/** The recorded tensor's sign, as it looks in the graph when it is selected. */
export const LayerGlyph = () => <i class="layer-glyph" aria-hidden="true" />;

const PATHS = {
  close: "M6 6 L18 18 M18 6 L6 18",
  plus: "M12 5 V19 M5 12 H19",
  minus: "M5 12 H19",
  fit: "M4 9 V4 H9 M15 4 H20 V9 M20 15 V20 H15 M9 20 H4 V15",
  previous: "M15 5 L8 12 L15 19",
  next: "M9 5 L16 12 L9 19",
  link: "M10 14 a4 4 0 0 0 6 0 l3 -3 a4 4 0 0 0 -6 -6 l-1 1 M14 10 a4 4 0 0 0 -6 0 l-3 3 a4 4 0 0 0 6 6 l1 -1",
} as const;

export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" width="16" height="16" aria-hidden="true">
      <path d={PATHS[name]} fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" />
    </svg>
  );
}
