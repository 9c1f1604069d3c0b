/** Below a projection: what its dots are coloured by, and what the colours mean. */
import { colourInstances, isColourable, type Legend } from "../../draw/colouring";
import { useClassColours, usePalette, useStore } from "../../ui/context";
import { countText, valueText } from "../../ui/numbers";

export function ColourLegend() {
  const { catalogue, durable, instances } = useStore();
  const palette = usePalette();
  const classes = useClassColours();
  const columns = instances.state.value.value;
  const attributes = catalogue.snapshot.value?.attributes.filter(isColourable) ?? [];
  const legend = columns ? colourInstances(durable.colour.value, columns, classes, palette).legend : null;
  const labelled = !catalogue.snapshot.value?.unlabelled;
  const by = durable.colour.value;
  return (
    <div class="colour-legend">
      <label>
        <span class="unseen">Colour of the dots</span>
        <select
          data-testid="colour-picker"
          value={by === "label" && !labelled ? "predicted" : by}
          onChange={(event) => {
            durable.colour.value = event.currentTarget.value;
          }}
        >
          {labelled && <option value="label">true class</option>}
          <option value="predicted">predicted class</option>
          <option value="score">score</option>
          {attributes.map(({ name }) => (
            <option key={name} value={`attribute:${name}`}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {legend && <LegendEntries legend={legend} />}
    </div>
  );
}

/** A time to the day, or to the minute where all are of two days. */
function rangeText(value: number, { low, high, isTime }: Extract<Legend, { kind: "range" }>): string {
  if (!isTime) return valueText(value);
  const written = new Date(1000 * value).toISOString().replace("T", " ");
  return high - low > 2 * 86_400 ? written.slice(0, 10) : written.slice(0, 16);
}

function LegendEntries({ legend }: { legend: Legend }) {
  if (legend.kind === "range") {
    return (
      <span class="legend-range">
        {rangeText(legend.low, legend)}
        <i style={{ background: `linear-gradient(to right, ${legend.colours.join(", ")})` }} />
        {rangeText(legend.high, legend)}
      </span>
    );
  }
  const names = legend.entries.map(({ name }) => name).join(", ");
  return (
    <span class="legend-values" title={names}>
      {legend.entries.map(({ name, colour }) => (
        <span key={name}>
          <i class="class-dot" style={{ background: colour }} />
          {name}
        </span>
      ))}
      {legend.others > 0 && <span>+ {countText(legend.others)}</span>}
    </span>
  );
}
