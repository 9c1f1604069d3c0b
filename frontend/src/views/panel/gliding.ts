/** Lets a projection's dots move from where they were at the step before, where both stand in one frame. */

import { useEffect, useRef, useState } from "preact/hooks";
import { betweenPoints, type PlacedPoints } from "../../draw/projection";

const GLIDE_MILLISECONDS = 450;
/** More dots than these are put in place at once. */
const MOST_DOTS = 5_000;

const isStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Returns what to draw now: `placed`, or on the way there. */
export function useGliding(placed: PlacedPoints, glides: boolean): PlacedPoints {
  const shown = useRef(placed);
  const [, redraw] = useState(0);
  const aim = useRef({ placed, glides });
  const before = aim.current;
  const starts = before.placed !== placed;
  const possible =
    glides &&
    before.glides &&
    shown.current.positions.length === placed.positions.length &&
    placed.count <= MOST_DOTS &&
    !isStill();
  aim.current = { placed, glides };
  if (starts && !possible) shown.current = placed;

  useEffect(() => {
    if (shown.current === placed) return undefined;
    const from = shown.current;
    const begun = performance.now();
    let frame = requestAnimationFrame(function move(now) {
      const share = Math.min(1, (now - begun) / GLIDE_MILLISECONDS);
      shown.current = share < 1 ? betweenPoints(from, placed, share) : placed;
      redraw((count) => count + 1);
      if (share < 1) frame = requestAnimationFrame(move);
    });
    return () => cancelAnimationFrame(frame);
  }, [placed]);
  return shown.current;
}
