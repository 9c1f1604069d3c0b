/** Paints an element's own text, line by line, where the browser put it. */
import { fitText } from "../../draw/matrix_text";

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
