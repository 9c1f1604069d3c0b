/**
 * Order of rows by likeness: hierarchical clustering by average linkage, its leaves so that alike ones meet.
 *
 * Clusters are found by chains of nearest neighbours (Murtagh 1983); where two are joined, each is turned so that the ends
 * that meet are the nearest of the four (Gruvaeus and Wainer 1972). The same rows give the same order. Many rows are
 * ordered in a worker, which this file is too.
 */

/** Multiplications for the distances that are made at once, in about a millisecond, and those that a worker makes. */
const AT_ONCE = 1e6;
const MOST_WORK = 1e8;

/** Returns the positions of `rows`, (neurons,) each, in the order of likeness; values that are not finite do not count. */
export function likenessOrder(rows: readonly Float32Array[]): number[] {
  const distances = euclidean(rows);
  const ordered = cluster(rows.length, distances);
  // An order and its reverse are the same; the end that was recorded first leads.
  return (ordered[0] ?? 0) <= (ordered.at(-1) ?? 0) ? ordered : ordered.reverse();
}

interface Ordering {
  number: number;
  rows: readonly Float32Array[];
  /** Null until it is found. */
  order: number[] | null;
}

/** So many orders are remembered, of the groups in a few steps. */
const REMEMBERED = 16;

/**
 * Returns what orders rows: few at once, many in a worker. Until that has found their order, they have the last that was
 * found for as many, else their own.
 *
 * @param found Called when there is an order that was not there before
 */
export function startLikeness(
  found: () => void,
  createWorker: () => Worker = createLikenessWorker,
): (rows: readonly Float32Array[]) => number[] {
  let orderings: Ordering[] = [];
  /** Null where there are no workers, undefined until one is needed. */
  let worker: Worker | null | undefined;
  let count = 0;

  const giveUp = () => {
    worker = null;
    for (const ordering of orderings) ordering.order ??= likenessOrder(ordering.rows);
    found();
  };
  const start = (): Worker | null => {
    try {
      const started = createWorker();
      started.onerror = giveUp;
      started.onmessage = ({ data }: MessageEvent<{ number: number; order: number[] }>) => {
        const ordering = orderings.find(({ number }) => number === data.number);
        if (!ordering) return;
        ordering.order = data.order;
        found();
      };
      return started;
    } catch {
      return null;
    }
  };
  const begin = (rows: readonly Float32Array[]): Ordering => {
    const ordering: Ordering = { number: count++, rows, order: null };
    orderings = [ordering, ...orderings].slice(0, REMEMBERED);
    worker = worker === undefined ? start() : worker;
    if (worker) worker.postMessage({ number: ordering.number, rows: rows.map((row) => row.slice()) });
    else ordering.order = likenessOrder(rows);
    return ordering;
  };
  return (rows) => {
    if ((rows.length ** 2 / 2) * (rows[0]?.length ?? 0) <= AT_ONCE) return likenessOrder(rows);
    const isSame = (other: Ordering) =>
      other.rows.length === rows.length && other.rows.every((row, at) => row === rows[at]);
    const { order } = orderings.find(isSame) ?? begin(rows);
    return order ?? orderings.find((other) => other.order?.length === rows.length)?.order ?? [...rows.keys()];
  };
}

// The build names this file so; the host's content security policy refuses workers that are no files.
const WORKER_FILE = "./likeness_order.js";

const createLikenessWorker = (): Worker =>
  new Worker(new URL(/* @vite-ignore */ WORKER_FILE, import.meta.url), { type: "module" });

if (typeof document === "undefined") {
  self.onmessage = ({ data }: MessageEvent<{ number: number; rows: Float32Array[] }>) => {
    self.postMessage({ number: data.number, order: likenessOrder(data.rows) });
  };
}

/** Distances of each two, (rows, rows); of wide rows over the neurons that vary most. */
function euclidean(rows: readonly Float32Array[]): Float64Array {
  const count = rows.length;
  const neurons = widestNeurons(rows, Math.ceil((2 * MOST_WORK) / Math.max(1, count * count)));
  const narrow = rows.map((row) => Float64Array.from(neurons, (neuron) => finite(row[neuron])));
  const distances = new Float64Array(count * count);
  narrow.forEach((first, at) => {
    for (let other = 0; other < at; other++) {
      const second = narrow[other] as Float64Array;
      let sum = 0;
      for (let position = 0; position < first.length; position++) {
        const difference = (first[position] as number) - (second[position] as number);
        sum += difference * difference;
      }
      distances[at * count + other] = distances[other * count + at] = Math.sqrt(sum);
    }
  });
  return distances;
}

const finite = (value = 0): number => (Number.isFinite(value) ? value : 0);

/** At most so many neurons, those whose values differ most. */
function widestNeurons(rows: readonly Float32Array[], most: number): number[] {
  const all = [...(rows[0] ?? []).keys()];
  if (all.length <= most) return all;
  const spread = all.map((neuron) => {
    const values = rows.map((row) => finite(row[neuron]));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  });
  return all.sort((first, second) => (spread[second] ?? 0) - (spread[first] ?? 0)).slice(0, most);
}

function cluster(count: number, original: Float64Array): number[] {
  const distances = original.slice();
  const at = (first: number, second: number): number => distances[first * count + second] as number;
  const clusters: number[][] = Array.from({ length: count }, (_, row) => [row]);
  const distance = (first: number, second: number): number => original[first * count + second] as number;
  /** Rows that stand for the clusters that are left; each keeps its place. */
  const left = Array.from({ length: count }, (_, row) => row);
  const chain: number[] = [];
  while (left.length > 1) {
    if (chain.length === 0) chain.push(left[0] as number);
    const last = chain.at(-1) as number;
    const before = chain.at(-2);
    let nearest = before ?? -1;
    for (let position = 0; position < left.length; position++) {
      const other = left[position] as number;
      if (other !== last && (nearest < 0 || at(last, other) < at(last, nearest))) nearest = other;
    }
    if (nearest !== before) {
      chain.push(nearest);
      continue;
    }
    chain.length -= 2;
    const [kept, gone] = last < nearest ? [last, nearest] : [nearest, last];
    const [first, second] = [clusters[kept] as number[], clusters[gone] as number[]];
    const [share, rest] = [first.length, second.length].map((size) => size / (first.length + second.length));
    left.splice(left.indexOf(gone), 1);
    for (let position = 0; position < left.length; position++) {
      const other = left[position] as number;
      const mean = (share as number) * at(kept, other) + (rest as number) * at(gone, other);
      distances[kept * count + other] = distances[other * count + kept] = mean;
    }
    clusters[kept] = joined(first, second, distance);
  }
  return clusters[0] ?? [];
}

/** Both in a line, turned so that the ends that meet are the nearest. */
function joined(left: number[], right: number[], distance: (one: number, other: number) => number): number[] {
  const ways = [left, left.toReversed()].flatMap((start) =>
    [right, right.toReversed()].map((end) => ({ start, end, apart: distance(start.at(-1) ?? 0, end[0] ?? 0) })),
  );
  const { start, end } = ways.reduce((best, way) => (way.apart < best.apart ? way : best));
  return [...start, ...end];
}
