/** Makes files of what is shown, and hands them to the browser to keep. */

import { SvgContext } from "../../draw/svg_context";
import { paintElement } from "./painting";

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

/** The element as shown, on the card's colour. */
export function svgFile(element: Element): Blob {
  const { width, height } = element.getBoundingClientRect();
  const measuring = document.createElement("canvas").getContext("2d");
  const context = SvgContext.create((font, text) => {
    if (!measuring) throw new Error("The browser has no canvas to measure text with.");
    measuring.font = font;
    return measuring.measureText(text);
  });
  paintElement(context, element);
  return textFile(context.document(width, height), "image/svg+xml");
}

export async function pngFile(element: Element): Promise<Blob> {
  const { width, height } = element.getBoundingClientRect();
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * PNG_RATIO);
  canvas.height = Math.round(height * PNG_RATIO);
  const context = canvas.getContext("2d");
  context?.scale(PNG_RATIO, PNG_RATIO);
  if (context) paintElement(context, element);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The picture is too large for this browser."))));
  });
}
