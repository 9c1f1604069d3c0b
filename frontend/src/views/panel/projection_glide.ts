/** Glide of a projection's dots from where they were to where they are, each instance to its own place. */

import { useEffect, useState } from "preact/hooks";
import { betweenPoints, type PlacedPoints, placedAt } from "../../draw/projection";
import type { LayerStore } from "../../store/layer";

const GLIDE_MILLISECONDS = 450;
/** More dots than these are put in place at once. */
const MOST_DOTS = 5_000;

interface Aim {
  placed: PlacedPoints;
  /** The ids of the instances, by row. */
  ids: readonly string[];
  /** What is shown, the step and how it is projected: another one is glided to, a newer picture of the same is not. */
  subject: string;
  /** In a box of another size dots are put in place at once. */
  size: string;
}

interface Glide extends Aim {
  /** Where the dots stand now. */
  shown: PlacedPoints;
  from: PlacedPoints;
  begun: number;
  end: number;
}

/** By layer, which may leave the page for a while: until a step's numbers are there, or while another is shown alone. */
const glides = new WeakMap<LayerStore, Glide>();

const isStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Returns what to draw now: the places aimed at, or those on the way there. */
export function useGliding(layer: LayerStore, aim: Aim): PlacedPoints {
  const [, redraw] = useState(0);
  const before = glides.get(layer);
  const glide = before?.placed === aim.placed ? before : setOut(before, aim, performance.now());
  glides.set(layer, glide);
  useEffect(() => {
    if (glide.shown === glide.placed) return undefined;
    let frame = requestAnimationFrame(function move(now) {
      const share = Math.min(1, (now - glide.begun) / (glide.end - glide.begun));
      glide.shown = share < 1 ? betweenPoints(glide.from, glide.placed, Math.max(0, share)) : glide.placed;
      redraw((count) => count + 1);
      if (share < 1) frame = requestAnimationFrame(move);
    });
    return () => cancelAnimationFrame(frame);
  }, [glide]);
  return glide.shown;
}

/** Begins a glide to another subject, goes on to newer places of the same one while it lasts, or is there at once. */
export function setOut(before: Glide | undefined, aim: Aim, now: number): Glide {
  const isUnderway = before?.subject === aim.subject && before.shown !== before.placed && now < before.end;
  const end = isUnderway ? before.end : now + GLIDE_MILLISECONDS;
  const glides = before?.size === aim.size && (isUnderway || before.subject !== aim.subject);
  const possible = glides && aim.placed.count <= MOST_DOTS && !isStill();
  const from = possible ? carried(before, aim.ids) : aim.placed;
  return { ...aim, from, shown: from, begun: now, end };
}

/** Returns where the instances are, by the rows that they have now; those that were not there have no place. */
function carried({ shown, ids }: Glide, now: readonly string[]): PlacedPoints {
  if (isAlike(ids, now)) return shown;
  const rows = new Map(ids.map((id, row) => [id, row]));
  const positions = new Float32Array(2 * now.length).fill(Number.NaN);
  for (const [row, id] of now.entries()) {
    const at = 2 * (rows.get(id) ?? -1);
    positions.set([shown.positions[at] ?? Number.NaN, shown.positions[at + 1] ?? Number.NaN], 2 * row);
  }
  return placedAt(positions);
}

export const isAlike = (ids: readonly string[], others: readonly string[]): boolean =>
  ids === others || (ids.length === others.length && ids.every((id, row) => id === others[row]));
