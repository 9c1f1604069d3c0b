/** Export of what is shown as files: tables, and elements of the page painted as PNG or SVG. */
import { FONT, fitText } from "../draw/matrix_text";
import { newPath } from "../draw/paths";
import { SvgContext } from "../draw/svg_context";
import { drawingOf } from "./surface";

interface Line {
  text: string;
  left: number;
  top: number;
  height: number;
}

function paintTexts(context: CanvasRenderingContext2D, element: Element, style: CSSStyleDeclaration): void {
  for (const node of element.childNodes) {
    if (!(node instanceof Text) || node.data.trim() === "") continue;
    context.font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    context.fillStyle = style.color;
    context.textAlign = "left";
    context.textBaseline = "alphabetic";
    for (const line of linesOf(node)) {
      const metrics = context.measureText(line.text);
      const share = metrics.fontBoundingBoxAscent / (metrics.fontBoundingBoxAscent + metrics.fontBoundingBoxDescent);
      context.fillText(cutText(context, element, style, line), line.left, line.top + line.height * share);
    }
  }
}

/** Texts that the browser ends in an ellipsis end in one here. */
function cutText(context: CanvasRenderingContext2D, element: Element, style: CSSStyleDeclaration, line: Line): string {
  if (style.textOverflow !== "ellipsis" || element.scrollWidth <= element.clientWidth) return line.text;
  return fitText(context, line.text, element.getBoundingClientRect().right - line.left);
}

/** Joins the words that stand at one height, and the characters of a word that goes on in the next line. */
function linesOf(node: Text): Line[] {
  const lines: Line[] = [];
  for (const { 0: word, index } of node.data.matchAll(/\S+\s*/g)) {
    const boxes = boxesOf(node, index, word.trimEnd().length);
    if (boxes.length > 1) {
      for (let at = 0; at < word.length; at++) join(lines, word.charAt(at), boxesOf(node, index + at, 1)[0]);
    } else join(lines, word.replace(/\s+$/, " "), boxes[0]);
  }
  return lines.map((line) => ({ ...line, text: line.text.trimEnd() }));
}

function boxesOf(node: Text, start: number, length: number): DOMRectList {
  const range = document.createRange();
  range.setStart(node, start);
  range.setEnd(node, start + length);
  return range.getClientRects();
}

function join(lines: Line[], text: string, box: DOMRect | undefined): void {
  if (!box) return;
  const last = lines.at(-1);
  if (last && Math.abs(last.top - box.top) < 2) last.text += text;
  else lines.push({ text, left: box.left, top: box.top, height: box.height });
}

/** Controls that mean nothing in a picture, and titles that its caption has. */
const LEFT_OUT =
  "input, select, kbd, button.quiet, .unpin, .spoken, .segmented-field, .lasso-toggle, .projection-zoom, [data-unprinted], " +
  ":is(.graph, .instances) > header h2";

/** A context that takes pictures by their address; others are given the picture itself. */
interface ImageContext {
  image?: (address: string, x: number, y: number, width: number, height: number) => void;
}

/** Paints `element` and all in it, its left upper corner at the origin. */
function paintElement(context: CanvasRenderingContext2D, element: Element): void {
  const { left, top } = element.getBoundingClientRect();
  context.save();
  context.translate(-left, -top);
  paint(context, element);
  context.restore();
}

function paint(context: CanvasRenderingContext2D, element: Element): void {
  const style = getComputedStyle(element);
  if (style.display === "none" || style.visibility === "hidden" || element.matches(LEFT_OUT)) return;
  context.save();
  context.globalAlpha *= Number(style.opacity);
  if (element instanceof SVGSVGElement) paintVector(context, element);
  else {
    const box = element.getBoundingClientRect();
    if (style.display !== "contents") paintBox(context, box, style);
    if (style.overflowX !== "visible" || style.overflowY !== "visible") clip(context, box);
    if (element instanceof HTMLCanvasElement) paintCanvas(context, element, box);
    else if (element instanceof HTMLImageElement) paintImage(context, element, box);
    paintTexts(context, element, style);
    for (const child of element.children) paint(context, child);
  }
  context.restore();
}

function clip(context: CanvasRenderingContext2D, box: DOMRect): void {
  context.beginPath();
  context.rect(box.left, box.top, box.width, box.height);
  context.clip();
}

function paintBox(context: CanvasRenderingContext2D, box: DOMRect, style: CSSStyleDeclaration): void {
  const radius = Math.min(Number.parseFloat(style.borderTopLeftRadius) || 0, box.width / 2, box.height / 2);
  if (isVisible(style.backgroundColor)) {
    context.fillStyle = style.backgroundColor;
    fillBox(context, box, radius);
  }
  if (style.backgroundImage.startsWith("linear-gradient")) paintGradient(context, box, style);
  const sides = ["Top", "Right", "Bottom", "Left"] as const;
  const widths = sides.map((side) => Number.parseFloat(style[`border${side}Width`]));
  const [width = 0] = widths;
  if (width > 0 && widths.every((other) => other === width)) {
    strokeBox(context, box, {
      inset: width / 2,
      width,
      colour: style.borderTopColor,
      radius,
      dash: style.borderTopStyle,
    });
  } else if ((widths[0] ?? 0) > 0) {
    context.fillStyle = style.borderTopColor;
    context.fillRect(box.left, box.top, box.width, width);
  }
  const outline = style.outlineStyle === "none" ? 0 : Number.parseFloat(style.outlineWidth);
  if (outline > 0) {
    const inset = -Number.parseFloat(style.outlineOffset) - outline / 2;
    strokeBox(context, box, { inset, width: outline, colour: style.outlineColor, radius, dash: "" });
  }
}

function fillBox(context: CanvasRenderingContext2D, box: DOMRect, radius: number): void {
  context.beginPath();
  context.roundRect(box.left, box.top, box.width, box.height, radius);
  context.fill();
}

function strokeBox(
  context: CanvasRenderingContext2D,
  box: DOMRect,
  line: { inset: number; width: number; colour: string; radius: number; dash: string },
): void {
  if (!isVisible(line.colour)) return;
  context.setLineDash(line.dash === "dashed" ? [2, 2] : []);
  context.strokeStyle = line.colour;
  context.lineWidth = line.width;
  const { left, top, width, height } = box;
  context.beginPath();
  context.roundRect(left + line.inset, top + line.inset, width - 2 * line.inset, height - 2 * line.inset, line.radius);
  context.stroke();
  context.setLineDash([]);
}

const isVisible = (colour: string): boolean => colour !== "transparent" && !/, 0\)$/.test(colour);

/** From left to right; one that is cut to the content has its place there. */
function paintGradient(context: CanvasRenderingContext2D, box: DOMRect, style: CSSStyleDeclaration): void {
  const colours = style.backgroundImage.match(/rgba?\([^)]*\)/g) ?? [];
  const inset = style.backgroundClip.startsWith("content-box")
    ? Number.parseFloat(style.borderTopWidth) + Number.parseFloat(style.paddingTop)
    : 0;
  const gradient = context.createLinearGradient(box.left, 0, box.right, 0);
  colours.forEach((colour, at) => {
    gradient.addColorStop(colours.length > 1 ? at / (colours.length - 1) : 0, colour);
  });
  context.fillStyle = new Set(colours).size === 1 ? (colours[0] ?? "") : gradient;
  context.fillRect(box.left + inset, box.top + inset, box.width - 2 * inset, box.height - 2 * inset);
}

/** By the function that draws it on screen; where it is unknown or draws pixels, by its pixels. */
function paintCanvas(context: CanvasRenderingContext2D, canvas: HTMLCanvasElement, box: DOMRect): void {
  const drawing = "pixels" in canvas.dataset ? undefined : drawingOf(canvas);
  if (!drawing) {
    paintPicture(context, canvas, box);
    return;
  }
  context.save();
  clip(context, box);
  context.translate(box.left, box.top);
  drawing.draw(context);
  context.restore();
}

function paintImage(context: CanvasRenderingContext2D, image: HTMLImageElement, box: DOMRect): void {
  if (!image.complete || image.naturalWidth === 0) return;
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  canvas.getContext("2d")?.drawImage(image, 0, 0);
  paintPicture(context, canvas, box);
}

function paintPicture(context: CanvasRenderingContext2D & ImageContext, canvas: HTMLCanvasElement, box: DOMRect): void {
  if (canvas.width === 0 || canvas.height === 0) return;
  if (context.image) context.image(canvas.toDataURL(), box.left, box.top, box.width, box.height);
  else context.drawImage(canvas, box.left, box.top, box.width, box.height);
}

/** Shapes of SVG that stands in the page, in their own coordinates. */
function paintVector(context: CanvasRenderingContext2D, root: SVGSVGElement): void {
  clip(context, root.getBoundingClientRect());
  for (const shape of root.querySelectorAll<SVGGraphicsElement>("rect, circle, path, text")) {
    const style = getComputedStyle(shape);
    const matrix = shape.getScreenCTM();
    if (!matrix || style.visibility === "hidden" || style.display === "none" || shape.closest("[data-unprinted]"))
      continue;
    context.save();
    context.globalAlpha *= Number(style.opacity);
    context.transform(matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f);
    if (shape instanceof SVGTextElement) paintLabel(context, shape, style);
    else paintShape(context, shape, style);
    context.restore();
  }
}

function paintShape(context: CanvasRenderingContext2D, shape: SVGGraphicsElement, style: CSSStyleDeclaration): void {
  const path = newPath(context, shape.getAttribute("d") ?? "");
  const number = (name: string) => Number(shape.getAttribute(name) ?? 0);
  if (shape instanceof SVGCircleElement) path.arc(number("cx"), number("cy"), number("r"), 0, 2 * Math.PI);
  if (shape instanceof SVGRectElement) {
    path.roundRect(number("x"), number("y"), number("width"), number("height"), number("rx"));
  }
  const alpha = context.globalAlpha;
  if (style.fill !== "none" && isVisible(style.fill)) {
    context.globalAlpha = alpha * Number(style.fillOpacity);
    context.fillStyle = style.fill;
    context.fill(path);
  }
  if (style.stroke === "none" || !isVisible(style.stroke)) return;
  context.globalAlpha = alpha * Number(style.strokeOpacity);
  context.strokeStyle = style.stroke;
  context.lineWidth = Number.parseFloat(style.strokeWidth);
  context.stroke(path);
}

const ALIGNMENTS: Record<string, CanvasTextAlign> = { middle: "center", end: "right" };

function paintLabel(context: CanvasRenderingContext2D, text: SVGTextElement, style: CSSStyleDeclaration): void {
  context.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  context.fillStyle = style.fill;
  context.textAlign = ALIGNMENTS[style.textAnchor] ?? "left";
  context.textBaseline = "alphabetic";
  context.fillText((text.textContent ?? "").trim(), Number(text.getAttribute("x")), Number(text.getAttribute("y")));
}

/** Device pixels per CSS pixel, so that a picture can be printed. */
const PNG_RATIO = 2;

export function saveFile(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The browser reads the address after this turn.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export const textFile = (text: string, type: string): Blob => new Blob([text], { type: `${type};charset=utf-8` });

/** What a figure says of itself, so that it can stand alone. */
export interface Caption {
  title: string;
  /** Run, step and size, each a part. */
  details: readonly string[];
  /** What the colours of the classes mean. */
  legend: readonly { name: string; colour: string }[];
  colours: { ground: string; text: string; secondary: string };
}

const EDGE = 11;
const TITLE_HEIGHT = 26;
const LEGEND_HEIGHT = 18;
const BASELINE = 18;
const DOT = 4;
const CAPTION_FONT = { title: `500 13px ${FONT}`, text: `12px ${FONT}` };

interface LegendPlace {
  name: string;
  colour: string;
  x: number;
  line: number;
}

/** Places the legend in as many lines as it takes. */
function placeLegend(context: CanvasRenderingContext2D, { legend }: Caption, width: number): LegendPlace[] {
  context.font = CAPTION_FONT.text;
  let [x, line] = [EDGE, 0];
  return legend.map(({ name, colour }) => {
    const length = 2 * DOT + 5 + context.measureText(name).width;
    if (x > EDGE && x + length > width - EDGE) [x, line] = [EDGE, line + 1];
    const place = { name, colour, x, line };
    x += length + 14;
    return place;
  });
}

/** Places the title and, beside it or below, the details in as many lines as they take. */
function placeDetails(context: CanvasRenderingContext2D, { title, details }: Caption, width: number) {
  context.font = CAPTION_FONT.title;
  const beside = EDGE + context.measureText(title).width + 12;
  context.font = CAPTION_FONT.text;
  const fits = (text: string, left: number) => left + context.measureText(text).width <= width - EDGE;
  const whole = details.join(" · ");
  if (fits(whole, beside)) return { left: beside, lines: [whole], below: 0 };
  const lines: string[] = [];
  for (const part of details) {
    const last = lines.at(-1);
    const longer = last === undefined ? part : `${last} · ${part}`;
    if (last !== undefined && fits(longer, EDGE)) lines[lines.length - 1] = longer;
    else lines.push(fitText(context, part, Math.max(0, width - 2 * EDGE)));
  }
  return { left: EDGE, lines, below: lines.length };
}

/** Of a figure, from the top: title, details, legend, and the element. */
function layoutFigure(context: CanvasRenderingContext2D, element: Element, caption: Caption) {
  const { width, height } = element.getBoundingClientRect();
  const details = placeDetails(context, caption, width);
  const legend = placeLegend(context, caption, width);
  const legendTop = TITLE_HEIGHT + LEGEND_HEIGHT * details.below;
  const lines = legend.length > 0 ? (legend.at(-1)?.line ?? 0) + 1 : 0;
  const top = legendTop + LEGEND_HEIGHT * lines + 4;
  return { width, height: top + height, top, details, legend, legendTop };
}

/** Paints the element below its caption; returns the size of both. */
function paintFigure(context: CanvasRenderingContext2D, element: Element, caption: Caption) {
  const { width, height, top, details, legend, legendTop } = layoutFigure(context, element, caption);
  const { title, colours } = caption;
  context.fillStyle = colours.ground;
  context.fillRect(0, 0, width, height);
  context.textAlign = "left";
  context.textBaseline = "alphabetic";
  context.font = CAPTION_FONT.title;
  context.fillStyle = colours.text;
  context.fillText(title, EDGE, BASELINE);
  context.font = CAPTION_FONT.text;
  context.fillStyle = colours.secondary;
  details.lines.forEach((line, at) => {
    context.fillText(line, details.left, BASELINE + LEGEND_HEIGHT * (details.below > 0 ? at + 1 : 0));
  });
  for (const { name, colour, x, line } of legend) {
    const middle = legendTop + LEGEND_HEIGHT * (line + 0.5);
    context.fillStyle = colour;
    context.beginPath();
    context.arc(x + DOT, middle, DOT, 0, 2 * Math.PI);
    context.fill();
    context.fillStyle = colours.text;
    context.fillText(name, x + 2 * DOT + 5, middle + 4);
  }
  context.save();
  context.translate(0, top);
  paintElement(context, element);
  context.restore();
  return { width, height };
}

/** Until what is laid out anew is drawn. */
const SETTLING_MILLISECONDS = 700;
const settled = () => new Promise((resolve) => setTimeout(resolve, SETTLING_MILLISECONDS));
/** Whatever is zoomed is shown whole in another width. */
const FIT = '[aria-label="Fit the graph"]';

/** Makes something of the element while it is so wide; 0 as it is. */
export async function atWidth<Made>(
  element: HTMLElement,
  width: number,
  make: (element: HTMLElement) => Made | Promise<Made>,
): Promise<Made> {
  if (width === 0) return make(element);
  const before = element.style.cssText;
  Object.assign(element.style, {
    width: `${width}px`,
    minWidth: "0",
    maxWidth: "none",
    flex: "none",
    justifySelf: "start",
  });
  try {
    await settled();
    const fit = element.querySelector<HTMLElement>(FIT);
    fit?.click();
    if (fit) await settled();
    return await make(element);
  } finally {
    element.style.cssText = before;
  }
}

/** The element as shown, on the card's colour, below what says what it is. */
export function svgFile(element: Element, caption: Caption): Blob {
  const measuring = document.createElement("canvas").getContext("2d");
  const context = SvgContext.create((font, text) => {
    if (!measuring) throw new Error("The browser has no canvas to measure text with.");
    measuring.font = font;
    return measuring.measureText(text);
  });
  const { width, height } = paintFigure(context, element, caption);
  return textFile(context.document(width, height), "image/svg+xml");
}

export async function pngFile(element: Element, caption: Caption): Promise<Blob> {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  if (context) {
    const { width, height } = layoutFigure(context, element, caption);
    canvas.width = Math.round(width * PNG_RATIO);
    canvas.height = Math.round(height * PNG_RATIO);
    context.scale(PNG_RATIO, PNG_RATIO);
    paintFigure(context, element, caption);
  }
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The picture is too large for this browser."))));
  });
}
