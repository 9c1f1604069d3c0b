/** Client of the plugin's routes. Every function aborts with `signal` and rejects with a sentence to show. */

import type {
  Agreement,
  ColumnSummaries,
  Graph,
  InstanceColumns,
  LayerHealth,
  LayerPositions,
  LayerSeparation,
  LayerSimilarity,
  NeuronCard,
  NeuronMatching,
  RunList,
  SubsetDescription,
  WordList,
} from "./activis";
import { decodeBytes, decodeDoubles, decodeFloats, decodeShorts, type NpyArray } from "./npy";

/** Names one snapshot: everything recorded at one (run, name, step). */
export interface SnapshotReference {
  run: string;
  name: string;
  step: number;
}

export type Statistic = "count" | "mean" | "std" | "min" | "max" | "active" | "nonfinite";
export type ProjectionMethod = "pca" | "tsne";

/** Whether a projection stands by itself, or in one frame with those of the run's other steps; PCA has none. */
export type Framing = "own" | "steps";

/** Another layer's projection that one is laid onto, and its version. */
export interface ProjectionFrame {
  snapshot: SnapshotReference;
  layer: string;
  version: string;
}

/** What `projection` is asked for. */
export interface ProjectionRequest {
  method: ProjectionMethod;
  /** Wanted of t-SNE, an integer from 5 to 100. */
  perplexity: number;
  framing: Framing;
  /** Of the words of a layer, in place of the instances. */
  of?: "words";
  onto?: ProjectionFrame;
}

/** What takes long to compute. */
export interface Computed<Value> {
  /** False while there is no `value` to use yet. */
  done: boolean;
  value: Value;
}

/** Two layers whose neurons are matched, and how. */
interface MatchingRequest {
  layer: string;
  otherLayer: string;
  method: "best" | "index";
}

export interface Projection {
  method: ProjectionMethod;
  framing: Framing;
  /** (rows, 2); NaN where an instance has no place. */
  coordinates: Float32Array;
  /** False while the job still moves the points. */
  done: boolean;
  iteration: number;
  iterations: number;
  /** In force; 0 for PCA. */
  perplexity: number;
  /** Neurons that take no part, because they are not finite in most rows. */
  neuronsLeftOut: number;
}

/** A statistic of a condition's instances. */
export interface SubsetStatistic {
  /** (1, neurons) */
  values: NpyArray<Float32Array>;
  /** As in `SubsetDescription`. */
  exactness: string;
  /** By how much a value may be off at most: the largest over the neurons; 0 where exact. */
  bound: number;
  /** Of estimated means and active shares, (2, neurons): between these they are; NaN where the sample is too small to say. */
  interval?: NpyArray<Float64Array> | undefined;
}

/** Where a condition is wrong. */
export interface Mistake {
  /** In characters, the end excluded. */
  start: number;
  end: number;
  /** What to write there; empty where there is no good guess. */
  suggestion: string;
}

/** A route answered with an error, or nothing answered. `message` is fit to be shown. */
export class RouteError extends Error {
  /** HTTP status; 0 where there was no answer. */
  readonly status: number;
  /** Null where it is not about a condition. */
  readonly mistake: Mistake | null;
  /** Whether to ask again after a while: the server is too busy, or did not answer at all. */
  readonly passes: boolean;

  constructor(status: number, message: string, mistake: Mistake | null = null, passes = false) {
    super(message);
    this.status = status;
    this.mistake = mistake;
    this.passes = passes;
  }
}

export interface Client {
  runs(signal: AbortSignal): Promise<RunList>;
  /** From `source`, the id of one of its sources; from the best there is where that is empty. */
  graph(run: string, source: string, signal: AbortSignal): Promise<Graph>;
  instances(snapshot: SnapshotReference, signal: AbortSignal): Promise<InstanceColumns>;
  /** Scores of one sampled instance, (1, classes). */
  scores(snapshot: SnapshotReference, row: number, signal: AbortSignal): Promise<NpyArray<Float32Array>>;
  health(snapshot: SnapshotReference, layer: string, signal: AbortSignal): Promise<LayerHealth>;
  /** (rows, subsets) */
  membership(snapshot: SnapshotReference, signal: AbortSignal): Promise<NpyArray<Uint8Array>>;
  /** (subsets, neurons) */
  statistics(
    snapshot: SnapshotReference,
    layer: string,
    statistic: Statistic,
    signal: AbortSignal,
  ): Promise<NpyArray<Float32Array>>;
  /** Means and standard deviations over all instances, (2, neurons). */
  overall(snapshot: SnapshotReference, layer: string, signal: AbortSignal): Promise<NpyArray<Float64Array>>;
  /** (rows, neurons) */
  activations(snapshot: SnapshotReference, layer: string, signal: AbortSignal): Promise<NpyArray<Float32Array>>;
  projection(
    snapshot: SnapshotReference,
    layer: string,
    request: ProjectionRequest,
    signal: AbortSignal,
  ): Promise<Projection>;
  /** Which instances a condition holds for. */
  subset(snapshot: SnapshotReference, condition: string, signal: AbortSignal): Promise<SubsetDescription>;
  subsetStatistics(
    snapshot: SnapshotReference,
    layer: string,
    statistic: Statistic,
    condition: string,
    signal: AbortSignal,
  ): Promise<SubsetStatistic>;
  /** Who is right where, among the instances that two snapshots share: of the sampled ones until all are counted. */
  agreement(base: SnapshotReference, other: SnapshotReference, signal: AbortSignal): Promise<Computed<Agreement>>;
  /** Which neuron of the other snapshot does what each of the base does. */
  matching(
    base: SnapshotReference,
    other: SnapshotReference,
    request: MatchingRequest,
    signal: AbortSignal,
  ): Promise<Computed<NeuronMatching>>;
  /** How well a layer keeps the classes apart. */
  separation(snapshot: SnapshotReference, layer: string, signal: AbortSignal): Promise<Computed<LayerSeparation>>;
  /** Of which instances the positions are kept, and their words. */
  positions(snapshot: SnapshotReference, layer: string, signal: AbortSignal): Promise<LayerPositions>;
  /** What each neuron does there, (positions, neurons). */
  positionCodes(snapshot: SnapshotReference, layer: string, signal: AbortSignal): Promise<NpyArray<Uint8Array>>;
  /** At which position each neuron's maximum is, (rows, neurons); 65,535 where that is not known, no rows where none is. */
  positionMaxima(snapshot: SnapshotReference, layer: string, signal: AbortSignal): Promise<NpyArray<Uint16Array>>;
  /** What a neuron answers to: of the sample, until all that is stored, similar neurons and steps are looked at. */
  neuron(
    snapshot: SnapshotReference,
    layer: string,
    neuron: number,
    signal: AbortSignal,
  ): Promise<Computed<NeuronCard>>;
  /** The commonest words of a layer's positions. */
  words(snapshot: SnapshotReference, layer: string, signal: AbortSignal): Promise<WordList>;
  /** Means at the positions with these, (words, neurons). */
  wordMeans(snapshot: SnapshotReference, layer: string, signal: AbortSignal): Promise<NpyArray<Float32Array>>;
  /** How alike each layer is to each of the other snapshot's. */
  similarity(
    base: SnapshotReference,
    other: SnapshotReference,
    signal: AbortSignal,
  ): Promise<Computed<LayerSimilarity>>;
  /** What the attributes hold. */
  summaries(snapshot: SnapshotReference, signal: AbortSignal): Promise<ColumnSummaries>;
  /** Address of an instance's picture. */
  imageUrl(snapshot: SnapshotReference, attribute: string, row: number): string;
}

/** Makes a client of the routes below `base`, which ends in a slash. */
export function createClient(base: string): Client {
  const get = (route: string, parameters: object, signal: AbortSignal) =>
    request(address(base, route, parameters), signal);
  const json = async <Message>(route: string, parameters: object, signal: AbortSignal) =>
    (await (await get(route, parameters, signal)).json()) as Message;
  const computed = async <Message>(route: string, parameters: object, signal: AbortSignal) => {
    const response = await get(route, parameters, signal);
    return { done: response.status !== 202, value: (await response.json()) as Message };
  };
  const floats = async (route: string, parameters: object, signal: AbortSignal) =>
    decodeFloats(await (await get(route, parameters, signal)).arrayBuffer());

  return {
    runs: (signal) => json("runs", {}, signal),
    graph: (run, source, signal) => json("graph", source === "" ? { run } : { run, source }, signal),
    instances: (snapshot, signal) => json("instances", snapshot, signal),
    scores: (snapshot, row, signal) => floats("scores", { ...snapshot, row }, signal),
    health: (snapshot, layer, signal) => json("health", { ...snapshot, layer }, signal),
    membership: async (snapshot, signal) =>
      decodeBytes(await (await get("membership", snapshot, signal)).arrayBuffer()),
    statistics: (snapshot, layer, statistic, signal) => floats("statistics", { ...snapshot, layer, statistic }, signal),
    overall: async (snapshot, layer, signal) => {
      const response = await get("statistics", { ...snapshot, layer, statistic: "overall" }, signal);
      return decodeDoubles(await response.arrayBuffer());
    },
    activations: (snapshot, layer, signal) => floats("activations", { ...snapshot, layer }, signal),
    projection: async (snapshot, layer, { method, perplexity, framing, of, onto }, signal) => {
      const frame = onto ? { ...prefixed("onto_", onto.snapshot), onto_layer: onto.layer } : {};
      const choice = { layer, method, perplexity, frame: framing, ...(of && { of }) };
      const response = await get("projection", { ...snapshot, ...choice, ...frame }, signal);
      const number = (header: string) => Number(response.headers.get(header) ?? 0);
      return {
        method,
        framing: method === "pca" ? "own" : framing,
        coordinates: decodeFloats(await response.arrayBuffer()).data,
        done: response.status !== 202,
        iteration: number("Activis-Iteration"),
        iterations: number("Activis-Iterations"),
        perplexity: number("Activis-Perplexity"),
        neuronsLeftOut: number("Activis-Neurons-Left-Out"),
      };
    },
    subset: (snapshot, condition, signal) => json("subset", { ...snapshot, condition }, signal),
    subsetStatistics: async (snapshot, layer, statistic, condition, signal) => {
      const ask = async (which: string) => {
        const response = await get("subset_statistics", { ...snapshot, layer, statistic: which, condition }, signal);
        return { headers: response.headers, array: decodeDoubles(await response.arrayBuffer()) };
      };
      const { headers, array } = await ask(statistic);
      const exactness = headers.get("Activis-Exactness") ?? "";
      const hasInterval = exactness === "estimate" && (statistic === "mean" || statistic === "active");
      return {
        values: singlePrecision(array),
        exactness,
        bound: Number(headers.get("Activis-Bound") ?? 0),
        interval: hasInterval ? (await ask(`${statistic}_interval`)).array : undefined,
      };
    },
    agreement: (base, other, signal) => computed("agreement", { ...base, ...prefixed("other_", other) }, signal),
    matching: async (base, other, { layer, otherLayer, method }, signal) => {
      const pair = { ...base, ...prefixed("other_", other), layer, other_layer: otherLayer, method };
      return await computed<NeuronMatching>("matching", pair, signal);
    },
    separation: (snapshot, layer, signal) => computed("separation", { ...snapshot, layer }, signal),
    neuron: (snapshot, layer, neuron, signal) => computed("neuron", { ...snapshot, layer, neuron }, signal),
    positions: (snapshot, layer, signal) => json("positions", { ...snapshot, layer }, signal),
    positionCodes: async (snapshot, layer, signal) =>
      decodeBytes(await (await get("position_codes", { ...snapshot, layer }, signal)).arrayBuffer()),
    positionMaxima: async (snapshot, layer, signal) =>
      decodeShorts(await (await get("position_maxima", { ...snapshot, layer }, signal)).arrayBuffer()),
    words: (snapshot, layer, signal) => json("words", { ...snapshot, layer }, signal),
    wordMeans: (snapshot, layer, signal) => floats("word_means", { ...snapshot, layer }, signal),
    similarity: (base, other, signal) => computed("similarity", { ...base, ...prefixed("other_", other) }, signal),
    summaries: (snapshot, signal) => json("summaries", snapshot, signal),
    imageUrl: (snapshot, attribute, row) => address(base, "image", { ...snapshot, attribute, row }),
  };
}

const singlePrecision = ({ shape, data }: NpyArray<Float64Array>): NpyArray<Float32Array> => ({
  shape,
  data: Float32Array.from(data),
});

const prefixed = (prefix: string, snapshot: SnapshotReference): Record<string, string | number> =>
  Object.fromEntries(Object.entries(snapshot).map(([key, value]) => [prefix + key, value]));

function address(base: string, route: string, parameters: object): string {
  const query = new URLSearchParams(Object.entries(parameters).map(([key, value]) => [key, String(value)]));
  return query.size > 0 ? `${base}${route}?${query}` : `${base}${route}`;
}

async function request(url: string, signal: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new RouteError(0, "TensorBoard does not answer. Is it still running? It will be asked again.", null, true);
  }
  if (response.ok) return response;
  const type = response.headers.get("Content-Type") ?? "";
  const sentence = type.startsWith("text/plain") ? (await response.text()).trim() : "";
  throw new RouteError(
    response.status,
    sentence || `TensorBoard answered ${response.status} ${response.statusText}. Its terminal says why.`,
    mistakeOf(response.headers),
    // A sentence of ours says by a header whether it passes; what stands between, a proxy, says it by the status.
    response.headers.has("Retry-After") || (sentence === "" && [429, 503].includes(response.status)),
  );
}

function mistakeOf(headers: Headers): Mistake | null {
  const start = headers.get("Activis-Error-Start");
  const end = headers.get("Activis-Error-End");
  if (start === null || end === null) return null;
  return {
    start: Number(start),
    end: Number(end),
    suggestion: decodeURIComponent(headers.get("Activis-Suggestion") ?? ""),
  };
}
