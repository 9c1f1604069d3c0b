/** Where the arrow keys lead in a placed graph. */

import type { Box, PlacedGraph } from "./graph_layout";

export type Direction = "ArrowLeft" | "ArrowRight" | "ArrowUp" | "ArrowDown";

/** Steps aside count double, so that a row is followed before it is left. */
const ASIDE = 2;

export const isDirection = (key: string): key is Direction =>
  key === "ArrowLeft" || key === "ArrowRight" || key === "ArrowUp" || key === "ArrowDown";

/** Returns the id of the nearest node or title of an open group in a direction; null where there is none. */
export function nodeBeside({ nodes, groups }: PlacedGraph, id: string, direction: Direction): string | null {
  const places = new Map([
    ...groups.map(({ node, ...box }): [string, Place] => [node.id, titleOf(box)]),
    ...nodes.map(({ visible, x, y }): [string, Place] => [visible.node.id, { x, y }]),
  ]);
  const from = places.get(id);
  if (!from) return null;
  let [best, nearest] = [null as string | null, Number.POSITIVE_INFINITY];
  for (const [other, place] of places) {
    const { ahead, aside } = distance(from, place, direction);
    if (other === id || ahead <= 0 || ahead + ASIDE * aside >= nearest) continue;
    [best, nearest] = [other, ahead + ASIDE * aside];
  }
  return best;
}

interface Place {
  x: number;
  y: number;
}

const titleOf = ({ x, y }: Box): Place => ({ x: x + 20, y: y + 10 });

function distance(from: Place, to: Place, direction: Direction): { ahead: number; aside: number } {
  const [right, down] = [to.x - from.x, to.y - from.y];
  if (direction === "ArrowRight") return { ahead: right, aside: Math.abs(down) };
  if (direction === "ArrowLeft") return { ahead: -right, aside: Math.abs(down) };
  return { ahead: direction === "ArrowDown" ? down : -down, aside: Math.abs(right) };
}
