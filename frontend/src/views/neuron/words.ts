/** Words and numbers of a neuron's card: how well it tells a class apart, and what that is worth. */

import type { NeuronCard, NeuronClass, NeuronWords } from "../../contract/activis";
import { countText, valueText } from "../../ui/numbers";

/** `0.97`, `≈ 0.97` of a sample; `–` where too few instances were looked at. */
export function areaText({ exactness }: NeuronCard, { auc }: NeuronClass): string {
  if (auc === undefined) return "–";
  return exactness === "estimate" ? `≈ ${auc.toFixed(2)}` : auc.toFixed(2);
}

export function areaTitle(card: NeuronCard, one: NeuronClass, name: string): string {
  const { exactness, over, total } = card;
  const { auc, auc_low, auc_high } = one;
  if (auc === undefined) return `Fewer than 5 instances of ${name}, or of all others, were looked at`;
  const meaning = `The chance that an instance of ${name} has a larger activation than one of another class`;
  const ends = `${(auc_low ?? auc).toFixed(3)} to ${(auc_high ?? auc).toFixed(3)}`;
  const worth: Record<string, string> = {
    exact: `exact over all ${countText(over)}`,
    bound: `${ends}, over all ${countText(over)}, whose activations are stored rounded`,
    estimate: `estimated from ${countText(over)} of ${countText(total)}, 95 % sure of ${ends}`,
  };
  return `${meaning}: ${auc.toFixed(3)}; ${worth[exactness] ?? ""}`;
}

/** What the histograms, the AUC and the lists are over. */
export function basisText({ exactness, over, total, listed, bound }: NeuronCard): string {
  const all = countText(total);
  if (exactness === "exact") return `Bars, AUC and lists: all ${all} instances.`;
  if (exactness === "bound") {
    return `Bars, AUC and lists: all ${countText(listed)} stored instances, each value within ± ${valueText(bound)}.`;
  }
  const lists = listed < total ? `of ${countText(listed)} sampled` : `of all ${all}`;
  return `Bars and AUC: estimated from ${countText(over)} of ${all}. Lists: ${lists}.`;
}

/** A limit that reads well: the mean of the class that the neuron prefers, else of all instances. */
export function thresholdOf({ classes, preferred, mean }: NeuronCard): number {
  const own = classes.find(({ label }) => label === preferred);
  return Number((own ?? { mean }).mean.toPrecision(2));
}

/** Of more classes, those with the highest AUC, in their order. */
export function shownClasses({ classes }: NeuronCard, most: number): readonly NeuronClass[] {
  if (classes.length <= most) return classes;
  const best = [...classes].sort((first, second) => (second.auc ?? -1) - (first.auc ?? -1)).slice(0, most);
  return classes.filter((one) => best.includes(one));
}

/** A signed number in a column whose largest magnitude is `most`, of which three digits are shown: `+0.320`, `−0.016`. */
export function signedText(value: number, most: number): string {
  const decimals = Math.min(20, Math.max(0, 2 - Math.floor(Math.log10(most))));
  const digits = Math.abs(value).toFixed(decimals);
  return `${Number(digits) === 0 ? "" : value < 0 ? "−" : "+"}${digits}`;
}

/** Over what the words are, and which are not listed. */
export function wordsText({ tokens, positions, fewest, rarer, exact }: NeuronWords): string {
  const over = `Over all ${countText(positions)} words`;
  const none = tokens.length === 0 ? "; at none of them is it above zero on average" : "";
  const rare = rarer > 0 ? `; ${exact ? "" : "about "}${countText(rarer)} different ones are not listed` : "";
  const why = rarer > 0 ? (exact ? `: seen less than ${fewest} times` : ": only a random part was counted") : "";
  return `${over}${none}${rare}${why}.`;
}
