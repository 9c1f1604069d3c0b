/** Help: signs, keys and words, explained beside what they are about. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { drawCells, FILLING } from "../../draw/matrix";
import { type ColumnLayout, ROW_HEIGHT } from "../../draw/matrix_layout";
import { createRamp } from "../../draw/palette";
import type { JudgementKind } from "../../store/judgement";
import { useClassColours, usePalette, useTab } from "../../ui/context";
import { ClassDot, Icon, InstanceGlyph, LayerGlyph, SubsetGlyph } from "../../ui/glyphs";
import { Surface } from "../../ui/surface";

const KEYS: readonly { keys: readonly string[]; meaning: string }[] = [
  { keys: ["Tab"], meaning: "next part: toolbar, graph, panels, instances" },
  { keys: ["←", "→", "↑", "↓"], meaning: "move among cells, or among instances; what is there is read out" },
  {
    keys: ["Enter"],
    meaning: "press what is focused: open a layer or a neuron's card, sort by a row, pin an instance",
  },
  { keys: ["Space"], meaning: "keep the focused row lit; open or close a group of rows" },
  { keys: ["S"], meaning: "sort the neurons by the focused row" },
  { keys: ["C"], meaning: "mark the focused row; on another row, compare the two" },
  { keys: ["P"], meaning: "pin or unpin the focused instance" },
  { keys: ["[", "]"], meaning: "the card of the previous or the next neuron" },
  { keys: ["Tab", "↓", "Enter"], meaning: "in the bar of subsets: complete the condition, choose, add the row" },
  { keys: ["?"], meaning: "open this help" },
  {
    keys: ["Esc"],
    meaning: "clear what was typed or lit; end a comparison or a lasso; close a card, this help or a menu",
  },
];

const DEFINITIONS: readonly { word: string; meaning: string }[] = [
  {
    word: "neuron",
    meaning: "A unit of a dense layer or a channel of a convolution; one column of a matrix.",
  },
  {
    word: "mean",
    meaning:
      "What a cell of a class or subset shows: the average activation over all its instances. Of a subset typed here it is within a bound, or estimated from the sample where not every instance was kept; its name and readout say between what values it is, with a confidence of 95 %, or that too few of its instances were sampled to tell.",
  },
  {
    word: "subset",
    meaning:
      "The instances that a condition holds for, e.g. label <> predicted AND score < 0.6. A comparison with a missing value holds neither way. An estimate stands beside the numbers between which the true one is, with a confidence of 95 %: of a subset of which none was sampled, how many it can be at most.",
  },
  {
    word: "scale",
    meaning:
      "One per panel, so that its rows compare: the 99th percentile of the class means, rounded up. Stronger values have the colour of its end. The tone follows (mean / maximum) to the power of 0.75.",
  },
  { word: "% active", meaning: "The share of a row's instances in which the neuron is above zero; the dot's area." },
  {
    word: "dead",
    meaning: "Exactly zero in every instance, over all of them.",
  },
  {
    word: "accuracy",
    meaning:
      "The share of a row's instances that are predicted right. Red is what is lower than over all instances by more than three standard errors of a draw of so many of them without replacement; an estimate's own error counts too. A row that was chosen by its outcome, errors or right ones, has none.",
  },
  {
    word: "AUC",
    meaning:
      "On a neuron's card: the chance that an instance of the class has a larger activation than one of another class, and half of that of equal ones; 0.5 tells nothing. The class with the highest one is what the neuron prefers.",
  },
  {
    word: "η²",
    meaning:
      "On a neuron's card: the share of its variance that lies between the classes, over all instances; 0 where all have the same mean, 1 where nothing varies within a class.",
  },
  {
    word: "words",
    meaning:
      "Rows of a layer whose positions have words, in place of instances: the commonest words, how often each was seen in all instances, and the means of the neurons there. Where there were too many words to count all, they are a random part of them.",
  },
  { word: "zeros", meaning: "The share of all activations of the layer that are exactly zero." },
  {
    word: "rank",
    meaning:
      "The effective rank: along how many directions the activations vary: e to the entropy of the singular values' shares, of the centred sample (Roy and Vetterli, 2007).",
  },
  {
    word: "minus the mean over all",
    meaning:
      "The mean of a row's instances less the mean over all instances, in standard deviations over all, neuron by neuron: blue above, brown below. What singles a row out are the neurons where this is furthest from 0.",
  },
  {
    word: "d",
    meaning:
      "By how much two compared rows differ in a neuron: the difference of their means, divided by the root of their mean variance. After ± stands its standard error, √(1 / n₁ + 1 / n₂ + d² / (2 (n₁ + n₂))) (Hedges and Olkin, 1985), where an estimated mean has its own error in place of 1 / n. One instance has z: its distance from the other row's mean in that row's standard deviations.",
  },
  {
    word: "sample",
    meaning:
      "Instances that were kept individually: the squares and dots. The same ones at every step. Counts, accuracies and means are over all instances; what you asked to keep comes on top of the sample.",
  },
  {
    word: "matched",
    meaning:
      "Two runs share no numbering of their neurons. Beside another run, each neuron stands under the one of A that it is most like over the instances in both: the assignment with the largest sum of Pearson's r. Below r = 0.3 it is hollow and not subtracted. Two steps of one run go by number, outputs by class.",
  },
  {
    word: "like",
    meaning:
      "One row's way through the layers: hover its name or keep it lit, and each panel says which class it is like, by the cosine of its mean and the class's, both less the average of the class means; “no longer” names the class in the panel above. The bar: which class each of its sampled instances is most like.",
  },
  {
    word: "Δ B − A",
    meaning:
      "By how much B is above A: orange higher, blue lower, on one scale per panel. Each side is taken in its own neurons' standard deviations over all instances, from their mean; scores of outputs as they are. Accuracies differ in percentage points. Rows such as only B right average the instances that are in both samples; their counts are over all where both store all.",
  },
  {
    word: "fixed, broken",
    meaning: "Wrong in A and right in the other run; right in A and wrong in the other.",
  },
  {
    word: "no prediction",
    meaning:
      "Where some of an instance's scores are NaN or infinite, it is predicted as nothing. It counts as not right, stands with the misclassified, and is found by predicted IS NULL; every other comparison takes its prediction for unlike every class.",
  },
  {
    word: "no labels",
    meaning:
      "Data may be recorded without labels. All instances are one row then, colours and groups are the predicted classes, and nothing is right or wrong.",
  },
  {
    word: "test case",
    meaning:
      "An instance of your own with the label you expect, or one that you asked for by name. Those beside the recorded data are in no count, average, subset or estimate.",
  },
  {
    word: "projection",
    meaning:
      "Instances that excite the layer alike lie close. In t-SNE neighbours count, distances between groups and their sizes do not.",
  },
  {
    word: "View",
    meaning:
      "In narrow windows, and at 200 %, the button in the toolbar opens what has no room there: what is compared, the order of the neurons, the size of the dots, the classes, links, downloads and this help.",
  },
  {
    word: "CSV",
    meaning:
      "A text that begins with = + - or @ gets a leading apostrophe, so that no spreadsheet takes it for a formula.",
  },
];

function Encodings() {
  const classes = useTab().catalogue.snapshot.value?.classes ?? [];
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
    [<Cells key="clipped" values={[0.6, 1, 1.4]} />, "with an outline: beyond the end of the scale"],
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
    [
      <i key="accuracy" class="accuracy-bar" style={{ display: "block" }}>
        <i class="share" style={{ width: "60%" }} />
        <i class="missing" style={{ left: "60%", width: "25%" }} />
        <i class="over-all" style={{ left: "85%" }} />
      </i>,
      "a row's accuracy, and a tick at that over all instances; red is missing beyond chance",
    ],
    [glyph("right", 0, 0), `an instance of ${truth}, predicted as such`],
    [glyph("wrong", 0, 1), `an instance of ${truth}, predicted as ${predicted}`],
    [glyph("nothing", 0, -1), `an instance of ${truth} with no prediction: some of its scores are not finite`],
    [glyph("unlabelled", -1, 1), `an instance without a label, predicted as ${predicted}`],
    [
      <i key="always" class="instance-glyph always" style={{ background: first }} />,
      "a test case that you asked for by name",
    ],
    [glyph("wrong", 0, 1), `also in a projection: a ring in the colour of ${predicted} around a dot of ${truth}`],
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
  const total = values.length;
  const shape = { printed: false, pitch: 12, radius: 5, rowHeight: ROW_HEIGHT };
  const columns: ColumnLayout = { ...shape, first: 0, visible: total, total };
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

interface HelpProperties {
  open: boolean;
  onClose: () => void;
}

export function Help({ open, onClose }: HelpProperties) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    <dialog
      ref={dialog}
      class="help"
      aria-labelledby="help-title"
      data-testid="help"
      onClose={onClose}
      onKeyDown={keepFocus}
      onPointerDown={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
    >
      {open && <HelpText onClose={onClose} />}
    </dialog>
  );
}

/** A modal dialog holds the focus in its own document, but not from the page around the frame. */
function keepFocus(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  if (event.key !== "Tab") return;
  const reachable = [...event.currentTarget.querySelectorAll<HTMLElement>("button, [tabindex='0']")];
  const at = reachable.indexOf(document.activeElement as HTMLElement);
  const next = (at + (event.shiftKey ? -1 : 1) + reachable.length) % reachable.length;
  reachable[next]?.focus();
  event.preventDefault();
}

function HelpText({ onClose }: { onClose: () => void }) {
  return (
    <div class="help-text">
      <header>
        <h2 id="help-title">What you see here</h2>
        <button type="button" class="quiet" aria-label="Close help" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <p class="help-story">
        Click a yellow tensor in the graph: its panel shows how strongly each neuron responds to each class, subset and
        pinned instance, and which instances are alike to the layer. Hover a row, a dot, a square or a cell of a table,
        type a condition, or look for a text: the same instances light up everywhere. Click a row's name to sort the
        neurons by it, a cell for the card of its neuron, an instance to pin it.
      </p>
      <div class="help-columns">
        <section>
          <h3>Signs</h3>
          <Encodings />
          <h3>Keys</h3>
          <Keys />
        </section>
        <section>
          <h3>Words</h3>
          <dl class="definitions">
            {DEFINITIONS.map(({ word, meaning }) => (
              <div key={word}>
                <dt>{word}</dt>
                <dd>{meaning}</dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
    </div>
  );
}

const Keys = () => (
  <dl class="keys">
    {KEYS.map(({ keys, meaning }) => (
      <div key={meaning}>
        <dt>
          {keys.map((key) => (
            <kbd key={key}>{key}</kbd>
          ))}
        </dt>
        <dd>{meaning}</dd>
      </div>
    ))}
  </dl>
);
