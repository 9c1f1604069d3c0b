/** Every sign of the tab, drawn by what draws it in the tab, with its meaning. */

import type { ComponentChildren } from "preact";
import { drawCells, FILLING } from "../../draw/matrix";
import { layoutColumns, ROW_HEIGHT } from "../../draw/matrix_layout";
import { createRamp } from "../../draw/palette";
import type { JudgementKind } from "../../store/judgement";
import { useClassColours, usePalette, useStore } from "../../ui/context";
import { ClassDot, InstanceGlyph, LayerGlyph, SubsetGlyph } from "../../ui/glyphs";
import { Surface } from "../../ui/surface";

export function Encodings() {
  const classes = useStore().catalogue.snapshot.value?.classes ?? [];
  const colours = useClassColours();
  const [first] = colours;
  const glyph = (kind: JudgementKind, label: number, found: number) => (
    <InstanceGlyph key={kind} judgement={{ kind, label, predicted: found }} colours={colours} />
  );
  const [truth = "a class", predicted = "another"] = classes;
  const entries: [ComponentChildren, string][] = [
    [<i key="operator" class="key-operator" />, "an operator of the model"],
    [<i key="tensor" class="key-tensor" />, "a tensor that was not recorded"],
    [<i key="recorded" class="key-tensor recorded" />, "a recorded tensor: click opens its panel"],
    [<LayerGlyph key="layer" />, "a recorded tensor whose panel is open"],
    [<i key="group" class="key-group" />, "a group of operators: click opens or closes it"],
    [<ClassDot key="class" colour={first} />, `a class, here ${truth}`],
    [<SubsetGlyph key="subset" />, "a subset of the instances"],
    [
      <Cells key="ramp" values={[0.05, 0.25, 0.5, 1]} />,
      "a neuron's activation: farther from the background is stronger",
    ],
    [
      <Cells key="diverging" values={[-1, -0.4, 0.4, 1]} signed />,
      "in layers with negative values: below and above zero",
    ],
    [
      <Cells key="shares" values={[0.8, 0.8, 0.8, 0.8]} shares={[0.1, 0.3, 0.6, 1]} />,
      "dot size “% active”: share of instances above zero",
    ],
    [<Cells key="zero" values={[0, 0]} />, "exactly zero, where others are weak"],
    [
      <Cells key="hollow" values={[0.3, 0.6, 1]} isHollow />,
      "a mean of which nothing is claimed: too few of its instances were sampled",
    ],
    [<Cells key="missing" values={[Number.NaN, Number.NaN]} />, "no finite value"],
    [
      <i key="strongest" class="key-strip" style={{ background: first }} />,
      "above a column: the class with the highest mean",
    ],
    [glyph("right", 0, 0), `an instance of ${truth}, predicted as such`],
    [glyph("wrong", 0, 1), `an instance of ${truth}, predicted as ${predicted}`],
    [glyph("nothing", 0, -1), `an instance of ${truth} with no prediction: some of its scores are not finite`],
    [glyph("unlabelled", -1, 1), `an instance without a label, predicted as ${predicted}`],
    [
      <i key="always" class="instance-glyph always" style={{ background: first }} />,
      "a test case that you asked for by name",
    ],
    [<i key="example" class="key-diamond" style={{ background: first }} />, "a test case beside the recorded data"],
    [<i key="hovered" class="key-ring hovered" />, "the hovered instance"],
    [<i key="pinned" class="key-ring" />, "a pinned instance"],
  ];
  return (
    <ul class="encodings">
      {entries.map(([sign, meaning]) => (
        <li key={meaning}>
          <span class="sign">{sign}</span>
          <span>{meaning}</span>
        </li>
      ))}
    </ul>
  );
}

const WIDTH = 52;

interface CellsProperties {
  values: number[];
  shares?: number[];
  signed?: boolean;
  isHollow?: boolean;
}

function Cells({ values, shares, signed = false, isHollow = false }: CellsProperties) {
  const palette = usePalette();
  const row = {
    top: 0,
    values: Float32Array.from(values),
    shares: shares ? Float32Array.from(shares) : null,
    fillings: isHollow ? Uint8Array.from(values, () => FILLING.hollow) : null,
  };
  const columns = { ...layoutColumns(values.length, WIDTH, 0), printed: false, pitch: 12, radius: 5 };
  const order = Int32Array.from(values, (_, at) => at);
  return (
    <Surface
      width={WIDTH}
      height={ROW_HEIGHT}
      aria-hidden="true"
      draw={(context) =>
        drawCells(context, [row], { order, columns, ramp: createRamp(palette, 1, signed), palette, width: WIDTH })
      }
    />
  );
}
