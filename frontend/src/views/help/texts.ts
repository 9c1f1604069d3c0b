/** Keys and definitions, as the help tells them. */

export const KEYS: readonly { keys: readonly string[]; meaning: string }[] = [
  { keys: ["Tab"], meaning: "next part: toolbar, graph, panels, instances" },
  { keys: ["←", "→", "↑", "↓"], meaning: "move among cells, or among instances; what is there is read out" },
  { keys: ["Enter"], meaning: "press what is focused: open a layer, sort by a row, pin an instance" },
  { keys: ["Space"], meaning: "keep the focused row lit in the projections" },
  { keys: ["S"], meaning: "sort the neurons by the focused row" },
  { keys: ["C"], meaning: "mark the focused row; on another row, compare the two" },
  { keys: ["P"], meaning: "pin or unpin the focused instance" },
  { keys: ["Tab", "↓", "Enter"], meaning: "in the bar of subsets: complete the condition, choose, add the row" },
  { keys: ["?"], meaning: "open this help" },
  {
    keys: ["Esc"],
    meaning: "clear what was typed or kept lit; end a comparison or a lasso; close this help or a menu",
  },
];

export const DEFINITIONS: readonly { word: string; meaning: string }[] = [
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
      "One per panel, so that its rows compare: the 99th percentile of the class means, rounded up. What is stronger looks like its end. The tone follows (mean / maximum) to the power of 0.75.",
  },
  { word: "% active", meaning: "The share of a row's instances in which the neuron is above zero; the dot's area." },
  {
    word: "dead",
    meaning: "Never above zero, over all instances. Layers with negative values have none by that word.",
  },
  { word: "zeros", meaning: "The share of all activations of the layer that are exactly zero." },
  {
    word: "effective rank",
    meaning:
      "Along how many directions the activations vary: e to the entropy of the singular values' shares, of the centred sample (Roy and Vetterli, 2007).",
  },
  {
    word: "d",
    meaning:
      "By how much two compared rows differ in a neuron: the difference of their means, divided by the root of their mean variance. After ± stands its standard error, √(1 / n₁ + 1 / n₂ + d² / (2 (n₁ + n₂))) (Hedges and Olkin, 1985), where an estimated mean has its own error in place of 1 / n. One instance has z: its distance from the other row's mean in that row's standard deviations.",
  },
  {
    word: "sample",
    meaning:
      "Instances that were kept one by one: the squares and dots. The same ones at every step. Counts, accuracies and means are over all instances; what you asked to keep comes on top of the sample.",
  },
  {
    word: "matched",
    meaning:
      "Two runs share no numbering of their neurons. Beside another run, each neuron stands under the one of A that it is most like over the instances in both: the assignment with the largest sum of Pearson's r. Below r = 0.3 it is hollow and not subtracted. Two steps of one run go by number, outputs by class.",
  },
  {
    word: "like",
    meaning:
      "One row's way through the layers: hover its name or keep it lit, and each panel says which class it is like, by the cosine of its mean and the class's, both less the average of the class means; ← names the class in the panel above. The bar: which class each of its sampled instances is most like.",
  },
  {
    word: "Δ B − A",
    meaning:
      "By how much B is above A: orange higher, blue lower, on one scale per panel. Accuracies differ in percentage points. Rows such as only B right average the instances that both keep one by one; their counts are over all where both store all.",
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
    word: "CSV",
    meaning:
      "A text that begins with = + - or @ gets a leading apostrophe, so that no spreadsheet takes it for a formula.",
  },
];
