/** Labels of clusters: the name of a class near its densest spot, where it covers the fewest dots. */

import type { Box } from "./marks";

/** Where a name's box stands, in CSS pixels of the view. */
export interface ClusterName {
  label: number;
  left: number;
  top: number;
  width: number;
}

interface NamedClusters {
  /** In CSS pixels of the view, (rows, 2); NaN where an instance has no place. */
  positions: Float32Array;
  /** By row, the class; -1 for none. */
  codes: ArrayLike<number>;
  /** By class, how wide the box of its name is; 0 where it is not named. */
  widths: readonly number[];
  /** Of the view. */
  width: number;
  height: number;
  /** Boxes that no name may cover. */
  kept?: readonly Box[];
  /** Where the squares begin in which dots are counted: it moves with the dots, so that a spot stays while they do. */
  origin: { x: number; y: number };
}

export const NAME_HEIGHT = 17;
const SPOT = 16;
const CELL = 3;
const DOT = 3;
/** Between a box and the edge, and between two boxes. */
const GAP = 2;
const STEP = { x: 8, y: 5 };
const REACH = { x: 56, y: 56 };
/** A dot that is covered weighs as much as this distance. */
const WORTH = 9;
/** Of more dots than these, one weighs less. */
const CROWD = 1000;

interface Spot {
  x: number;
  y: number;
  /** Dots of the class in sight. */
  count: number;
}

/** Places the names; the largest class chooses first, and a name without a free place is left out. The same for the same dots. */
export function placeNames(clusters: NamedClusters): ClusterName[] {
  const { widths, width, height, kept = [] } = clusters;
  const covered = countCovered(clusters);
  const weight = WORTH * Math.min(1, CROWD / Math.max(1, covered(0, 0, width, height)));
  const spots = densestSpots(clusters);
  const placed: ClusterName[] = [];
  for (const [label, spot] of [...spots].sort(([, first], [, second]) => second.count - first.count)) {
    const wide = widths[label] ?? 0;
    let best: ClusterName | null = null;
    let least = Number.POSITIVE_INFINITY;
    for (const [left, top] of candidates(spot, wide)) {
      if (left < GAP || top < GAP || left + wide > width - GAP || top + NAME_HEIGHT > height - GAP) continue;
      if (placed.some((other) => touches(other, left, top, wide))) continue;
      if (kept.some((box) => covers(box, left, top, wide))) continue;
      const away = distance(spot, left, top, wide);
      const dots = covered(left - DOT, top - DOT, left + wide + DOT, top + NAME_HEIGHT + DOT);
      const cost = weight * dots + away + (away / 16) ** 2;
      if (cost < least) [best, least] = [{ label, left, top, width: wide }, cost];
    }
    if (best) placed.push(best);
  }
  return placed.sort((first, second) => first.label - second.label);
}

/** Left upper corners: around the spot, from the nearest on. */
function* candidates({ x, y }: Spot, wide: number): Generator<[number, number]> {
  const across = REACH.x + wide / 2;
  for (let down = 0; down <= REACH.y; down += STEP.y) {
    for (let right = 0; right <= across; right += STEP.x) {
      for (const [east, south] of [
        [1, -1],
        [1, 1],
        [-1, -1],
        [-1, 1],
      ] as const) {
        yield [Math.round(x + east * right - wide / 2), Math.round(y + south * down - NAME_HEIGHT / 2)];
      }
    }
  }
}

/** From a spot to the nearest edge of a box, 0 inside. */
const distance = ({ x, y }: Spot, left: number, top: number, wide: number): number =>
  Math.hypot(Math.max(left - x, 0, x - left - wide), Math.max(top - y, 0, y - top - NAME_HEIGHT));

const touches = (other: ClusterName, left: number, top: number, wide: number): boolean =>
  left < other.left + other.width + GAP &&
  other.left < left + wide + GAP &&
  top < other.top + NAME_HEIGHT + GAP &&
  other.top < top + NAME_HEIGHT + GAP;

const covers = (box: Box, left: number, top: number, wide: number): boolean =>
  left < box.right + GAP && box.left < left + wide + GAP && top < box.bottom + GAP && box.top < top + NAME_HEIGHT + GAP;

/** Visits the dots in sight. */
function eachDot(
  { positions, width, height }: NamedClusters,
  visit: (row: number, x: number, y: number) => void,
): void {
  for (let row = 0; row * 2 < positions.length; row++) {
    const x = positions[row * 2] ?? Number.NaN;
    const y = positions[row * 2 + 1] ?? Number.NaN;
    if (x >= 0 && x < width && y >= 0 && y < height) visit(row, x, y);
  }
}

/** Returns how many dots a box covers, about: by a table of sums over small cells. */
function countCovered(clusters: NamedClusters): (left: number, top: number, right: number, bottom: number) => number {
  // The cells go with the dots, as the squares do.
  const shift = (origin: number) => CELL - (((origin % CELL) + CELL) % CELL);
  const [right, down] = [shift(clusters.origin.x), shift(clusters.origin.y)];
  const columns = Math.ceil(clusters.width / CELL) + 3;
  const rows = Math.ceil(clusters.height / CELL) + 3;
  const sums = new Float64Array(columns * rows);
  eachDot(clusters, (_, x, y) => {
    const at = (Math.floor((y + down) / CELL) + 1) * columns + Math.floor((x + right) / CELL) + 1;
    sums[at] = (sums[at] ?? 0) + 1;
  });
  for (let row = 1; row < rows; row++) {
    let line = 0;
    for (let column = 1; column < columns; column++) {
      const at = row * columns + column;
      line += sums[at] ?? 0;
      sums[at] = line + (sums[at - columns] ?? 0);
    }
  }
  const edge = (value: number, count: number) => Math.min(count - 1, Math.max(0, Math.round(value / CELL)));
  return (west, north, east, south) => {
    const [left, wide] = [edge(west + right, columns), edge(east + right, columns)];
    const [top, bottom] = [edge(north + down, rows) * columns, edge(south + down, rows) * columns];
    const sum = (at: number) => sums[at] ?? 0;
    return sum(bottom + wide) - sum(bottom + left) - sum(top + wide) + sum(top + left);
  };
}

/** Of the dots of a class in one square. */
interface Square {
  count: number;
  /** Sums of their places. */
  x: number;
  y: number;
}

/** More squares than any view has from one row to the next. */
const STRIDE = 1 << 16;

/** The middle of the dots in the densest place of each named class: the three by three squares with the most of its dots. */
function densestSpots(clusters: NamedClusters): Map<number, Spot> {
  const { codes, widths, origin } = clusters;
  const squares = new Map<number, Map<number, Square>>();
  eachDot(clusters, (row, x, y) => {
    const label = codes[row] ?? -1;
    if (!(widths[label] ?? 0)) return;
    const own = squares.get(label) ?? new Map<number, Square>();
    squares.set(label, own);
    const key = Math.floor((y - origin.y) / SPOT) * STRIDE + Math.floor((x - origin.x) / SPOT);
    const square = own.get(key) ?? { count: 0, x: 0, y: 0 };
    own.set(key, square);
    square.count++;
    square.x += x;
    square.y += y;
  });
  return new Map([...squares].map(([label, own]) => [label, densestSpot(own)]));
}

function densestSpot(squares: ReadonlyMap<number, Square>): Spot {
  const spot: Spot = { x: 0, y: 0, count: 0 };
  let most = 0;
  for (const [key, { count }] of squares) {
    spot.count += count;
    const near = { count: 0, x: 0, y: 0 };
    for (const down of [-STRIDE, 0, STRIDE]) {
      for (const right of [-1, 0, 1]) {
        const square = squares.get(key + down + right);
        if (!square) continue;
        near.count += square.count;
        near.x += square.x;
        near.y += square.y;
      }
    }
    if (near.count <= most) continue;
    most = near.count;
    spot.x = near.x / near.count;
    spot.y = near.y / near.count;
  }
  return spot;
}
