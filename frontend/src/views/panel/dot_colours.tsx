/** Colours of a projection's dots: the choice of what they mean, and their legend. */

import { useMemo } from "preact/hooks";
import { isColourable } from "../../contract/attributes";
import { type Colouring, colourInstances, type Legend, type NeuronValues } from "../../draw/colouring";
import { sliceColumn } from "../../store/numbers";
import type { SnapshotStore } from "../../store/snapshot";
import type { TabStore } from "../../store/tab";
import { type Colour, colouringNeuron, neuronColour } from "../../store/url_state";
import { useClassColours, usePalette, useSnapshot, useTab } from "../../ui/context";
import { countText, valueText } from "../../ui/numbers";

/** Returns null until the instances are there. */
export function useColouring(): Colouring | null {
  const tab = useTab();
  const store = useSnapshot();
  const palette = usePalette();
  const classes = useClassColours();
  const columns = store.columns.value;
  const by = tab.urlState.colour.value;
  const areRinged = tab.urlState.errorRings.value === "";
  const neuron = useNeuron(tab, store, by);
  return useMemo(() => {
    if (!columns) return null;
    const colouring = colourInstances(by, columns, classes, palette, neuron);
    return areRinged ? colouring : { ...colouring, rings: null };
  }, [by, columns, classes, palette, areRinged, neuron]);
}

/** The activations of the neuron that colours the dots; null where none does, or its layer is not open. */
function useNeuron({ comparing }: TabStore, store: SnapshotStore, by: Colour): NeuronValues | null {
  const wanted = colouringNeuron(by);
  const layer = wanted && store.layers.value.find(({ name }) => name === wanted.layer);
  const activations = layer?.activations.state.value.value;
  const signed = layer?.entry.value?.signed ?? false;
  const side = store.beside && comparing.sides.value[store.beside.position];
  // Beside another run, it is the neuron that stands in the same column.
  const partners = side?.layers.value.get(wanted?.layer ?? "")?.matching.value?.partners;
  const neuron = store.beside ? (partners?.[wanted?.neuron ?? -1] ?? -1) : (wanted?.neuron ?? -1);
  return useMemo(
    () => (activations ? { values: sliceColumn(activations, neuron), signed } : null),
    [activations, neuron, signed],
  );
}

interface ColourOption {
  value: Colour;
  label: string;
}

/** The neuron that is offered first: the first one in sight, until another one is chosen. */
function neuronOptions({ layers }: SnapshotStore, by: Colour): ColourOption[] {
  const chosen = colouringNeuron(by);
  return layers.value
    .filter(({ entry }) => entry.value !== null)
    .map(({ name, columns }) => {
      const neuron = chosen?.layer === name ? chosen.neuron : (columns.value?.[0] ?? 0);
      return { value: neuronColour({ neuron, layer: name }), label: `neuron ${neuron} of ${name}` };
    });
}

/** What the dots are coloured by: said as text, with the system's list over it, and the number of a neuron to change. */
export function ColourChoice({ layer }: { layer: string }) {
  const { urlState } = useTab();
  const store = useSnapshot();
  const snapshot = store.snapshot.value;
  const by = urlState.colour.value;
  const options: ColourOption[] = [
    ...(snapshot?.unlabelled ? [] : [{ value: "label", label: "true class" }]),
    { value: "predicted", label: "predicted class" },
    { value: "score", label: "score" },
  ];
  const attributes = (snapshot?.attributes ?? [])
    .filter(isColourable)
    .map(({ name }) => ({ value: `attribute:${name}`, label: name }));
  const neurons = neuronOptions(store, by);
  const chosen = [...options, ...attributes, ...neurons].find(({ value }) => value === by) ?? options[0];
  const neuron = neurons.includes(chosen as ColourOption) ? colouringNeuron(by) : null;
  const own = neuron?.layer === layer ? `neuron ${neuron.neuron}` : null;
  return (
    <label class="colour-choice" title={`Colour of the dots: ${chosen?.label}`}>
      <span class="colour-word">colour: </span>
      <span>{own ?? chosen?.label}</span>
      <span data-unprinted> ▾</span>
      <select
        data-testid="colour-picker"
        aria-label="Colour of the dots"
        value={chosen?.value ?? ""}
        onChange={(event) => {
          urlState.colour.value = event.currentTarget.value;
        }}
      >
        <Options options={options} />
        {attributes.length > 0 && (
          <optgroup label="attributes">
            <Options options={attributes} />
          </optgroup>
        )}
        {neurons.length > 0 && (
          <optgroup label="activation of a neuron">
            <Options options={neurons} />
          </optgroup>
        )}
      </select>
    </label>
  );
}

const Options = ({ options }: { options: readonly ColourOption[] }) => (
  <>
    {options.map(({ value, label }) => (
      <option key={value} value={value}>
        {label}
      </option>
    ))}
  </>
);

function NeuronNumber() {
  const { urlState } = useTab();
  const { snapshot } = useSnapshot();
  const chosen = colouringNeuron(urlState.colour.value);
  if (!chosen) return null;
  const last = (snapshot.value?.layers.find(({ name }) => name === chosen.layer)?.neurons ?? 1) - 1;
  return (
    <label class="neuron-choice">
      neuron
      <input
        type="number"
        class="neuron-number"
        data-testid="neuron-number"
        aria-label={`Neuron of ${chosen.layer} that colours the dots`}
        min={0}
        max={last}
        value={chosen.neuron}
        onInput={(event) => {
          const neuron = Math.round(event.currentTarget.valueAsNumber);
          if (neuron >= 0 && neuron <= last) urlState.colour.value = neuronColour({ ...chosen, neuron });
        }}
      />
      <span title={chosen.layer}>of {chosen.layer}</span>
    </label>
  );
}

export function ColourLegend() {
  const palette = usePalette();
  const colouring = useColouring();
  const { legend } = colouring ?? {};
  const others = useClassColours().filter((colour) => colour === palette.otherClass).length;
  if (!legend && (!colouring || others === 0)) return null;
  return (
    <div class="colour-legend" data-testid="colour-legend">
      {legend && <NeuronNumber />}
      {!legend && <OtherClasses count={others} />}
      {legend && (legend.kind === "range" ? <RangeLegend legend={legend} /> : <ValuesLegend legend={legend} />)}
      {legend?.lacks && (
        <span class="no-value">
          <i class="class-dot" style={{ background: palette.otherClass }} />
          no value
        </span>
      )}
    </div>
  );
}

/** Of more classes than there are colours. */
function OtherClasses({ count }: { count: number }) {
  const { coloured } = useTab().urlState;
  const isChosen = coloured.value.length > 0;
  return (
    <span
      class="legend-others"
      title={`${isChosen ? "The classes that you chose" : "The classes that are most confused at the last step"} have colours; the list of the classes above chooses others`}
    >
      <i class="class-dot" style={{ background: usePalette().otherClass }} />
      {countText(count)} others; colours: {isChosen ? "as chosen" : "most confused"}
    </span>
  );
}

type Range = Extract<Legend, { kind: "range" }>;

/** A time to the day, or to the minute where all are of two days. */
function rangeText(value: number, { low, high, isTime }: Range): string {
  if (!isTime) return valueText(value);
  const written = new Date(1000 * value).toISOString().replace("T", " ");
  return high - low > 2 * 86_400 ? written.slice(0, 10) : written.slice(0, 16);
}

function RangeLegend({ legend }: { legend: Range }) {
  const { low, high, colours, clips } = legend;
  return (
    <span class="legend-range">
      {clips.low && "≤ "}
      {rangeText(low, legend)}
      <i style={{ background: `linear-gradient(to right, ${colours.join(", ")})` }} />
      {clips.high && "≥ "}
      {rangeText(high, legend)}
    </span>
  );
}

function ValuesLegend({ legend }: { legend: Exclude<Legend, Range> }) {
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
