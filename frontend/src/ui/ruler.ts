/** Width of a text as the tab sets it. */

const ruler = document.createElement("canvas").getContext("2d");

/** In CSS pixels. @param font As CSS has it, `500 12px Roboto`. */
export function textWidth(text: string, font: string): number {
  if (!ruler) return 7.5 * text.length;
  ruler.font = font;
  return ruler.measureText(text).width;
}
