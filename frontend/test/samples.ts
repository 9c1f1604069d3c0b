/** Small wire messages to test with. */

import type {
  Agreement,
  Graph,
  GraphNode,
  InstanceColumns,
  Layer,
  LayerSeparation,
  LayerSimilarity,
  NeuronCard,
  NeuronMatching,
  RunEntry,
  RunList,
  SnapshotEntry,
  Subset,
  SubsetDescription,
} from "../src/contract/activis";

export const runList = (runs: RunEntry[], change: Partial<RunList> = {}): RunList => ({
  runs,
  total_runs: runs.length,
  warnings: [],
  logdir: "",
  ...change,
});

export const runEntry = (run: string, snapshots: SnapshotEntry[]): RunEntry => ({
  run,
  label: run.replace("/activis", ""),
  snapshots,
});

export const layer = (name: string, neurons: number): Layer => ({
  name,
  neurons,
  tensor: "",
  positions: "",
  signed: false,
  shape: [neurons],
  dtype: "float32",
  pooling: "",
});

export const subset = (name: string, kind: string, count: number, correct: number): Subset => ({
  name,
  kind,
  condition: "",
  count,
  correct,
  predicted_counts: [],
  without_prediction: 0,
});

/** Two classes, cat and dog, and a subset "striped". */
export const snapshot = (change: Partial<SnapshotEntry> = {}): SnapshotEntry => ({
  name: "validation",
  step: 1,
  wall_time: 0,
  classes: ["cat", "dog"],
  layers: [layer("hidden", 18)],
  subsets: [subset("cat", "class", 2, 1), subset("dog", "class", 1, 1), subset("striped", "function", 2, 1)],
  attributes: [],
  instances: 3,
  sampled: 3,
  stored: 0,
  version: "1",
  examples: 0,
  unlabelled: false,
  ...change,
});

/** Three instances: a cat, a cat taken for a dog, a dog. */
export const instances = (change: Partial<InstanceColumns> = {}): InstanceColumns => ({
  id: ["a", "b", "c"],
  ids_given: true,
  index: [0, 1, 2],
  label: [0, 0, 1],
  predicted: [0, 1, 1],
  score: [0.9, 0.6, 0.7],
  scores: [0.9, 0.1, 0.4, 0.6, 0.3, 0.7],
  drawn: [true, true, true],
  always: [false, false, false],
  attributes: [],
  example: [false, false, false],
  ...change,
});

/** Both snapshots are right about a and c, and wrong about b. */
export const agreement = (change: Partial<Agreement> = {}): Agreement => ({
  over: 3,
  both_right: 2,
  only_base: 0,
  only_other: 0,
  both_wrong: 1,
  same_prediction: 3,
  exactness: "exact",
  note: "",
  unlabelled: false,
  sampled: 3,
  both_right_rows: [0, 2],
  only_base_rows: [],
  only_other_rows: [],
  both_wrong_rows: [1],
  same_rows: [],
  different_rows: [],
  sampled_note: "",
  ...change,
});

/** Two neurons that swapped places, and one that nothing is like. */
export const matching = (change: Partial<NeuronMatching> = {}): NeuronMatching => ({
  partners: [1, 0, 2],
  correlations: [0.9, 0.8, 0.1],
  known: [true, true, true],
  method: "best",
  median: 0.8,
  median_over: 3,
  median_by_index: 0.1,
  median_by_index_over: 3,
  over: 3,
  ...change,
});

/** Two classes that are half apart. */
export const separation = (): LayerSeparation => ({
  overall: { silhouette: 0.5, silhouette_over: 3, purity: 0.75, purity_over: 3 },
  classes: [
    { silhouette: 0.25, silhouette_over: 2, purity: 0.5, purity_over: 2 },
    { silhouette: 1, silhouette_over: 1, purity: 1, purity_over: 1 },
  ],
  neighbours: 2,
});

export const similarity = (): LayerSimilarity => ({
  layers: ["hidden"],
  other_layers: ["hidden"],
  cka: [1],
  known: [true],
  over: [3],
});

/** What `subset` answers about the sampled rows `members`. */
export const answer = (members: number[], change: Partial<SubsetDescription> = {}): SubsetDescription => ({
  count: members.length,
  correct: members.length,
  total: 3,
  predicted_counts: [],
  exactness: "exact",
  over: 3,
  rows: members,
  count_error: 0,
  without_prediction: 0,
  correct_error: 0,
  note: "",
  count_low: change.count ?? members.length,
  count_high: change.count ?? members.length,
  correct_low: change.correct ?? members.length,
  correct_high: change.correct ?? members.length,
  accuracy_low: 1,
  accuracy_high: 1,
  predicted_low: [],
  predicted_high: [],
  drawn: members.length,
  ...change,
});

export const node = (id: string, kind: string, change: Partial<GraphNode> = {}): GraphNode => ({
  id,
  kind,
  name: id,
  full_name: id,
  parent: "",
  operator: "",
  shape: [],
  has_shape: false,
  dtype: "",
  device: "",
  attributes: {},
  layer: "",
  parameter: false,
  repeats: 0,
  layer_candidates: [],
  auxiliary: false,
  ...change,
});

/** tokens -> [dense: MatMul(kernel) -> sum -> Relu] -> hidden -> Softmax -> output; hidden and output are recorded. */
export const graph = (): Graph => ({
  source: "forward",
  sources: [{ id: "forward", kind: "forward", label: "forward graph", run: "cnn", nodes: 8 }],
  digest: "",
  warnings: [],
  nodes: [
    node("tokens", "tensor"),
    node("dense/", "group", { name: "dense" }),
    node("MatMul", "operator", { parent: "dense/" }),
    node("kernel", "tensor", { parent: "dense/", parameter: true }),
    node("sum", "tensor", { parent: "dense/" }),
    node("Relu", "operator", { parent: "dense/" }),
    node("hidden", "tensor", { layer: "hidden" }),
    node("Softmax", "operator"),
    node("output", "tensor", { layer: "output" }),
  ],
  edges: [
    ["tokens", "MatMul"],
    ["kernel", "MatMul"],
    ["MatMul", "sum"],
    ["sum", "Relu"],
    ["Relu", "hidden"],
    ["hidden", "Softmax"],
    ["Softmax", "output"],
  ].map(([source = "", target = ""]) => ({ source, target, control: false })),
});

/** Of a neuron that prefers the second of two classes. */
export const neuronCard = (change: Partial<NeuronCard> = {}): NeuronCard => ({
  layer: "hidden",
  neuron: 0,
  count: 3,
  nonfinite: 0,
  mean: 0.5,
  std: 0.25,
  min: 0,
  max: 1,
  active: 0.5,
  dead: false,
  eta_squared: 0.63,
  exactness: "exact",
  weights: [],
  over: 3,
  total: 3,
  bound: 0,
  note: "",
  classes: [0, 1].map((label) => ({
    label,
    count: 2,
    mean: 0.25 + label / 2,
    std: 0.1,
    over: 2,
    shares: [1 - label, label],
    auc: label,
    auc_low: label,
    auc_high: label,
  })),
  classes_left_out: 0,
  preferred: 1,
  edges: [0, 0.5, 1],
  strongest: [],
  weakest: [],
  listed: 3,
  similar: [],
  steps: [],
  words: undefined,
  ...change,
});
