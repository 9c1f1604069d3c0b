/** Paths that both a canvas and a drawing in SVG can fill. */

import { type Path, pathRound } from "d3-path";

/** A path as text, for SVG, with the methods that drawings use. */
export class RecordedPath {
  readonly #path: Path = pathRound(2);
  #text: string;

  constructor(text = "") {
    this.#text = text;
  }

  moveTo(x: number, y: number): void {
    this.#path.moveTo(x, y);
  }

  lineTo(x: number, y: number): void {
    this.#path.lineTo(x, y);
  }

  closePath(): void {
    this.#path.closePath();
  }

  rect(x: number, y: number, width: number, height: number): void {
    this.#path.rect(x, y, width, height);
  }

  arc(x: number, y: number, radius: number, start: number, end: number): void {
    this.#path.arc(x, y, radius, start, end);
  }

  roundRect(x: number, y: number, width: number, height: number, radius = 0): void {
    const r = Math.min(radius, width / 2, height / 2);
    const [right, bottom] = [x + width, y + height];
    this.#path.moveTo(x + r, y);
    this.#path.arcTo(right, y, right, bottom, r);
    this.#path.arcTo(right, bottom, x, bottom, r);
    this.#path.arcTo(x, bottom, x, y, r);
    this.#path.arcTo(x, y, right, y, r);
    this.#path.closePath();
  }

  toString(): string {
    return this.#text + this.#path.toString();
  }
}

/** Begins a path that `context` can fill and stroke, empty or from the `d` of an SVG path. */
export function newPath(context: CanvasRenderingContext2D, text = ""): Path2D {
  return recordsPaths(context) ? (new RecordedPath(text) as unknown as Path2D) : new Path2D(text);
}

/** Whether `context` keeps shapes, for a file, instead of painting pixels. */
export const recordsPaths = (context: object): boolean => "recordsPaths" in context;
