/**
 * A projection's dots.
 *
 * They are painted as pixels once, and once more for each row that lights some of them; hovering then puts a finished
 * picture in place, whatever the number of dots.
 */

import { effect } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { type Colouring, colourInstances } from "../../draw/colouring";
import type { Palette } from "../../draw/palette";
import { createPaintedPoints, type PlacedPoints, type View, zoomPoints } from "../../draw/projection";
import { useClassColours, usePalette, useStore } from "../../ui/context";
import { pixelRatio } from "../../ui/surface";
import type { usePointer } from "./projection_pointer";

interface ProjectionDotsProperties {
  placed: PlacedPoints;
  view: View;
  width: number;
  height: number;
  pointer: ReturnType<typeof usePointer>;
}

export function ProjectionDots({ placed, view, width, height, pointer }: ProjectionDotsProperties) {
  const store = useStore();
  const canvas = useRef<HTMLCanvasElement>(null);
  const palette = usePalette();
  const colouring = useColouring();
  const ratio = pixelRatio.value;
  const positions = useMemo(() => zoomPoints(placed.positions, view), [placed, view]);
  const pictures = useMemo(
    () => createPictures({ positions, width, height, ratio, palette, colouring }),
    [positions, width, height, ratio, palette, colouring],
  );
  useLayoutEffect(
    () =>
      effect(() => {
        const pixels = pictures(store.lit.value);
        canvas.current?.getContext("2d")?.putImageData(pixels, 0, 0);
      }),
    [store, pictures],
  );
  return (
    <canvas
      ref={canvas}
      width={Math.round(width * ratio)}
      height={Math.round(height * ratio)}
      style={{ width: `${width}px`, height: `${height}px` }}
      data-testid="projection"
      role="img"
      aria-label="Projection of the sampled instances"
      {...pointer}
    />
  );
}

function useColouring(): Colouring | null {
  const { durable, instances } = useStore();
  const palette = usePalette();
  const classes = useClassColours();
  const columns = instances.state.value.value;
  const by = durable.colour.value;
  const colours = classes.join();
  return useMemo(
    () => (columns ? colourInstances(by, columns, colours.split(","), palette) : null),
    [by, columns, colours, palette],
  );
}

interface PictureInputs {
  positions: Float32Array;
  width: number;
  height: number;
  ratio: number;
  palette: Palette;
  colouring: Colouring | null;
}

const MOST_PICTURES = 24;

/** Returns how to get the picture for a lit row; pictures are kept, the oldest leave first. */
function createPictures({ positions, width, height, ratio, palette, colouring }: PictureInputs) {
  const { codes, colours } = colouring ?? { codes: [], colours: [] };
  const newPixels = () =>
    new ImageData(Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio)));
  const painted = createPaintedPoints({ positions, codes, colours, palette }, newPixels, ratio);
  const kept = new Map<Uint8Array, ImageData>();
  return (lit: Uint8Array | null): ImageData => {
    if (!lit) return painted.all();
    const pixels = kept.get(lit) ?? painted.lit(lit);
    kept.set(lit, pixels);
    for (const oldest of kept.keys()) {
      if (kept.size <= MOST_PICTURES) break;
      kept.delete(oldest);
    }
    return pixels;
  };
}
