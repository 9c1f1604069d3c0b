/** Remembers what is drawn on each canvas, so that an exported file can be drawn by the same function. */

export interface Drawing {
  /** In CSS pixels. */
  width: number;
  height: number;
  draw: (context: CanvasRenderingContext2D) => void;
}

const drawings = new WeakMap<HTMLCanvasElement, Drawing>();

export const rememberDrawing = (canvas: HTMLCanvasElement, drawing: Drawing): void => {
  drawings.set(canvas, drawing);
};

export const drawingOf = (canvas: HTMLCanvasElement): Drawing | undefined => drawings.get(canvas);
