/** What a matrix's colours stand for. */
import type { ValueScale } from "../../store/numbers";
import { usePalette } from "../../ui/context";
import { valueText } from "../../ui/numbers";

export function ScaleLegend({ scale }: { scale: ValueScale }) {
  const palette = usePalette();
  const colours = scale.signed ? palette.diverging : palette.ramp;
  return (
    <span
      class="scale"
      title="One scale for every row of this panel: the 99th percentile of the class means, rounded up; stronger values look like its end"
    >
      {scale.signed ? `−${valueText(scale.max)}` : "0"}
      <i style={{ background: `linear-gradient(to right, ${colours.join(", ")})` }} />
      {valueText(scale.max)}
    </span>
  );
}
