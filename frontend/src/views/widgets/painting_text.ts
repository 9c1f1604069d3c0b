/** Paints an element's own text, line by line, where the browser put it. */

import { fitText } from "../../draw/printed";

interface Line {
  text: string;
  left: number;
  top: number;
  height: number;
}

export function paintTexts(context: CanvasRenderingContext2D, element: Element, style: CSSStyleDeclaration): void {
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

/** Joins the words that stand at one height. */
function linesOf(node: Text): Line[] {
  const lines: Line[] = [];
  const range = document.createRange();
  for (const { 0: word, index } of node.data.matchAll(/\S+\s*/g)) {
    range.setStart(node, index);
    range.setEnd(node, index + word.trimEnd().length);
    const box = range.getClientRects()[0];
    if (!box) continue;
    const last = lines.at(-1);
    const text = word.replace(/\s+$/, " ");
    if (last && Math.abs(last.top - box.top) < 2) last.text += text;
    else lines.push({ text, left: box.left, top: box.top, height: box.height });
  }
  return lines.map((line) => ({ ...line, text: line.text.trimEnd() }));
}
