/** Surface: a canvas that is sharp on every screen and drawn again when what it reads changes. */
import { signal } from "@preact/signals";
import type { JSX, RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

export interface Drawing {
  /** In CSS pixels. */
  width: number;
  height: number;
  draw: (context: CanvasRenderingContext2D) => void;
}

const drawings = new WeakMap<HTMLCanvasElement, Drawing>();

const rememberDrawing = (canvas: HTMLCanvasElement, drawing: Drawing): void => {
  drawings.set(canvas, drawing);
};

export const drawingOf = (canvas: HTMLCanvasElement): Drawing | undefined => drawings.get(canvas);

type CanvasAttributes = Omit<JSX.IntrinsicElements["canvas"], "width" | "height" | "ref">;

interface SurfaceProperties extends CanvasAttributes {
  /** In CSS pixels. */
  width: number;
  height: number;
  draw: (context: CanvasRenderingContext2D) => void;
  /** Whether it may be drawn a frame after the rest, so that what was asked for comes at once. */
  later?: boolean;
}

export function Surface({ width, height, draw, later = false, style, ...attributes }: SurfaceProperties) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const ratio = pixelRatio.value;
  const waiting = useRef<{ paint: () => void; cancel: () => void } | null>(null);
  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || width <= 0 || height <= 0) return;
    const paint = () => {
      waiting.current = null;
      fitCanvas(context.canvas, width, height, ratio);
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, width, height);
      draw(context);
      rememberDrawing(context.canvas, { width, height, draw });
    };
    // What waits to be drawn gives way to what is newer, and keeps its turn.
    if (!later) paint();
    else if (waiting.current) waiting.current.paint = paint;
    else waiting.current = { paint, cancel: inNextFrame(() => waiting.current?.paint()) };
  });
  useLayoutEffect(() => () => waiting.current?.cancel(), []);
  const place = typeof style === "object" ? style : {};
  return <canvas ref={canvas} style={{ width: `${width}px`, height: `${height}px`, ...place }} {...attributes} />;
}

/** Calls `paint` in the frame after the coming one; returns how to prevent that. */
function inNextFrame(paint: () => void): () => void {
  let request = requestAnimationFrame(() => {
    request = requestAnimationFrame(paint);
  });
  return () => cancelAnimationFrame(request);
}

function fitCanvas(canvas: HTMLCanvasElement, width: number, height: number, ratio: number): void {
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide) canvas.width = wide;
  if (canvas.height !== high) canvas.height = high;
}

export interface Size {
  width: number;
  height: number;
}

/** By measured element, what looks at its size. */
const measurings = new Map<Element, () => void>();

let again = 0;

/** One for all elements: what several changes of size lead to is drawn once. */
const sizes = new ResizeObserver((changes) => {
  for (const { target } of changes) measurings.get(target)?.();
  // What is drawn after that may change a size that was looked at before: all are looked at once more.
  cancelAnimationFrame(again);
  again = requestAnimationFrame(() => {
    for (const measure of measurings.values()) measure();
  });
});

/** Follows the inner size of an element, in CSS pixels; keeps the last one while the tab is hidden. */
export function useSize<Measured extends Element>(): [RefObject<Measured | null>, Size] {
  const element = useRef<Measured>(null);
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const measured = element.current;
    if (!measured) return undefined;
    const measure = () => {
      const { clientWidth: width, clientHeight: height } = measured;
      if (width > 0)
        setSize((before) => (before.width === width && before.height === height ? before : { width, height }));
    };
    measurings.set(measured, measure);
    sizes.observe(measured);
    return () => {
      sizes.unobserve(measured);
      measurings.delete(measured);
    };
  }, []);
  return [element, size];
}

/** Device pixels per CSS pixel. */
export const pixelRatio = signal(globalThis.devicePixelRatio || 1);

function followPixelRatio(): void {
  const query = globalThis.matchMedia?.(`(resolution: ${globalThis.devicePixelRatio}dppx)`);
  query?.addEventListener(
    "change",
    () => {
      pixelRatio.value = globalThis.devicePixelRatio || 1;
      followPixelRatio();
    },
    { once: true },
  );
}

followPixelRatio();
