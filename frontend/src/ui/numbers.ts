/** Numbers as people read them. */

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** `5,452` */
export const countText = (count: number): string => grouped.format(count);

/** `1 neuron`, `128 neurons` */
export const countedText = (count: number, noun: string): string =>
  `${countText(count)} ${noun}${count === 1 ? "" : "s"}`;

/** A correlation, `0.92`; never `-0.00`. */
export const correlationText = (r: number): string => (Math.abs(r) < 0.005 ? "0.00" : r.toFixed(2).replace("-", "−"));

const listed = new Intl.ListFormat("en", { type: "conjunction" });

/** `0, 86, and 172`; long lists are cut. */
export function listText(items: readonly string[], most = 8): string {
  const shown = items.length > most ? [...items.slice(0, most), `${items.length - most} others`] : items;
  return listed.format(shown);
}

/** Three significant digits, without an exponent where one can do without: `0.394`, `1.55`, `12,300`. */
export function valueText(value: number): string {
  if (!Number.isFinite(value)) return "no value";
  if (value === 0) return "0";
  const magnitude = Math.abs(value);
  if (magnitude >= 1e6 || magnitude < 1e-3) return value.toExponential(2);
  return (magnitude >= 1000 ? fiveDigits : threeDigits).format(value);
}

/** The same of figures that stand below each other, with zeros at the end: `0.420` below `0.525`. */
export const alignedText = (value: number): string =>
  Math.abs(value) >= 1e-3 && Math.abs(value) < 1000 ? alignedDigits.format(value) : valueText(value);

const threeDigits = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const alignedDigits = new Intl.NumberFormat("en", { minimumSignificantDigits: 3, maximumSignificantDigits: 3 });
const fiveDigits = new Intl.NumberFormat("en", { maximumSignificantDigits: 5 });

/** A number or a time with what the server says of it where a double is not enough: a date, all digits, `∞`. */
export function exactText(value: number, text = ""): string {
  if (text === "inf") return "∞";
  if (text === "-inf") return "−∞";
  return text === "" ? valueText(value) : text.replace(/^-(?=\d+$)/, "−");
}

/** `88.4 %`; no decimals at the ends of the range. */
export function percentText(share: number, decimals = 0): string {
  if (!Number.isFinite(share)) return "–";
  if (share > 0 && share < 0.01) return "< 1 %";
  return `${(share * 100).toFixed(share === 0 || share === 1 ? 0 : decimals)} %`;
}
