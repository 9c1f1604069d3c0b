/**
 * Drawing context that writes SVG: the part of CanvasRenderingContext2D that the drawings use; text stays text.
 */

import { RecordedPath } from "./paths";

interface Style {
  fillStyle: string | LinearGradient;
  strokeStyle: string;
  lineWidth: number;
  globalAlpha: number;
  font: string;
  textAlign: CanvasTextAlign;
  textBaseline: CanvasTextBaseline;
  dashes: readonly number[];
}

const INITIAL: Style = {
  fillStyle: "#000000",
  strokeStyle: "#000000",
  lineWidth: 1,
  globalAlpha: 1,
  font: "10px sans-serif",
  textAlign: "start",
  textBaseline: "alphabetic",
  dashes: [],
};

const ANCHORS: Partial<Record<CanvasTextAlign, string>> = { center: "middle", right: "end", end: "end" };
const BASELINES: Partial<Record<CanvasTextBaseline, string>> = { middle: "central", top: "hanging" };

export class SvgContext {
  /** Tells `newPath` that paths are recorded here. */
  readonly recordsPaths = true;
  style: Style = { ...INITIAL };
  readonly #parts: string[] = [];
  /** Several drawings may stand in one page, where the names of their parts must differ. */
  readonly #name = Math.random().toString(36).slice(2, 10);
  readonly #clips: string[] = [];
  readonly #gradients: LinearGradient[] = [];
  readonly #saved: { style: Style; groups: number }[] = [];
  #path = new RecordedPath();
  #groups = 0;
  readonly #measure: (font: string, text: string) => TextMetrics;

  /** @param measure says how wide a text is in a font; a hidden canvas can */
  constructor(measure: (font: string, text: string) => TextMetrics) {
    this.#measure = measure;
  }

  /** The context as drawing functions take it. */
  static create(measure: (font: string, text: string) => TextMetrics): SvgContext & CanvasRenderingContext2D {
    const context = new SvgContext(measure);
    return new Proxy(context, {
      get: (target, name) => {
        if (name in target.style) return target.style[name as keyof Style];
        const member = target[name as keyof SvgContext] as unknown;
        return typeof member === "function" ? member.bind(target) : member;
      },
      set: (target, name, value: unknown) => Reflect.set(target.style, name, value),
    }) as unknown as SvgContext & CanvasRenderingContext2D;
  }

  save(): void {
    this.#saved.push({ style: { ...this.style }, groups: this.#groups });
  }

  restore(): void {
    const saved = this.#saved.pop();
    if (!saved) return;
    this.style = saved.style;
    while (this.#groups > saved.groups) {
      this.#parts.push("</g>");
      this.#groups--;
    }
  }

  translate(x: number, y: number): void {
    this.#open(`transform="translate(${round(x)} ${round(y)})"`);
  }

  transform(...matrix: [number, number, number, number, number, number]): void {
    this.#open(`transform="matrix(${matrix.map((value) => Number(value.toFixed(5))).join(" ")})"`);
  }

  clip(): void {
    const id = `clip-${this.#name}-${this.#clips.length}`;
    this.#clips.push(`<clipPath id="${id}"><path d="${this.#path}"/></clipPath>`);
    this.#open(`clip-path="url(#${id})"`);
  }

  beginPath(): void {
    this.#path = new RecordedPath();
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

  roundRect(x: number, y: number, width: number, height: number, radius?: number): void {
    this.#path.roundRect(x, y, width, height, radius);
  }

  fill(path: unknown = this.#path): void {
    this.#write("path", `d="${textOf(path)}" ${this.#fill()}`);
  }

  stroke(path: unknown = this.#path): void {
    this.#write("path", `d="${textOf(path)}" ${this.#stroke()}`);
  }

  fillRect(x: number, y: number, width: number, height: number): void {
    this.#write("rect", `${box(x, y, width, height)} ${this.#fill()}`);
  }

  strokeRect(x: number, y: number, width: number, height: number): void {
    this.#write("rect", `${box(x, y, width, height)} ${this.#stroke()}`);
  }

  fillText(text: string, x: number, y: number): void {
    this.#text(text, x, y, this.#fill());
  }

  strokeText(text: string, x: number, y: number): void {
    this.#text(text, x, y, `${this.#stroke()} stroke-linejoin="round"`);
  }

  measureText(text: string): TextMetrics {
    return this.#measure(this.style.font, text);
  }

  setLineDash(dashes: readonly number[]): void {
    this.style.dashes = dashes;
  }

  createLinearGradient(x0: number, y0: number, x1: number, y1: number): LinearGradient {
    const gradient = new LinearGradient(`gradient-${this.#name}-${this.#gradients.length}`, [x0, y0, x1, y1]);
    this.#gradients.push(gradient);
    return gradient;
  }

  /** Puts a picture in, by its address or its data. */
  image(address: string, x: number, y: number, width: number, height: number): void {
    this.#write("image", `href="${escaped(address)}" ${box(x, y, width, height)} preserveAspectRatio="none"`);
  }

  /** The whole file. */
  document(width: number, height: number): string {
    const open = "</g>".repeat(this.#groups);
    const size = `width="${round(width)}" height="${round(height)}" viewBox="0 0 ${round(width)} ${round(height)}"`;
    const definitions = `<defs>${this.#clips.join("")}${this.#gradients.map((one) => one.definition()).join("")}</defs>`;
    return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${definitions}${this.#parts.join("")}${open}</svg>\n`;
  }

  #open(attributes: string): void {
    this.#parts.push(`<g ${attributes}>`);
    this.#groups++;
  }

  #write(element: string, attributes: string): void {
    this.#parts.push(
      `<${element} ${attributes}${this.style.globalAlpha < 1 ? ` opacity="${this.style.globalAlpha}"` : ""}/>`,
    );
  }

  #fill(): string {
    return `fill="${escaped(String(this.style.fillStyle))}"`;
  }

  #stroke(): string {
    const { strokeStyle, lineWidth, dashes } = this.style;
    const dashing = dashes.length > 0 ? ` stroke-dasharray="${dashes.join(" ")}"` : "";
    return `fill="none" stroke="${escaped(strokeStyle)}" stroke-width="${round(lineWidth)}"${dashing}`;
  }

  #text(text: string, x: number, y: number, paint: string): void {
    const { font, textAlign, textBaseline, globalAlpha } = this.style;
    const anchor = ANCHORS[textAlign];
    const baseline = BASELINES[textBaseline];
    const place = `x="${round(x)}" y="${round(y)}" style="font: ${escaped(font)}"`;
    const aligned = `${anchor ? ` text-anchor="${anchor}"` : ""}${baseline ? ` dominant-baseline="${baseline}"` : ""}`;
    const opacity = globalAlpha < 1 ? ` opacity="${globalAlpha}"` : "";
    this.#parts.push(`<text ${place}${aligned}${opacity} xml:space="preserve" ${paint}>${escaped(text)}</text>`);
  }
}

/** As `CanvasGradient`, from left to right. */
class LinearGradient {
  readonly #stops: string[] = [];

  constructor(
    readonly id: string,
    readonly ends: readonly number[],
  ) {}

  addColorStop(offset: number, colour: string): void {
    this.#stops.push(`<stop offset="${offset}" stop-color="${escaped(colour)}"/>`);
  }

  /** How a fill names it. */
  toString(): string {
    return `url(#${this.id})`;
  }

  definition(): string {
    const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = this.ends.map(round);
    const place = `gradientUnits="userSpaceOnUse" x1="${x0}" y1="${y0}" x2="${x1}" y2="${y1}"`;
    return `<linearGradient id="${this.id}" ${place}>${this.#stops.join("")}</linearGradient>`;
  }
}

function textOf(path: unknown): string {
  if (path instanceof RecordedPath) return String(path);
  throw new TypeError(
    "A drawing made its path by `new Path2D()`; make it by newPath(context), so that SVG can have it.",
  );
}

const box = (x: number, y: number, width: number, height: number): string =>
  `x="${round(x)}" y="${round(y)}" width="${round(Math.max(0, width))}" height="${round(Math.max(0, height))}"`;

const round = (value: number): number => Number(value.toFixed(2));

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
