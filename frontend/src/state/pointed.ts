/** Makes subsets of what is pointed at, and says what came of it. */

import { type ReadonlySignal, signal } from "@preact/signals";
import type { NamedCondition } from "./subset_list";
import type { SubsetsState } from "./subsets";

export interface Pointing {
  /** Adds a subset; a sentence in its place says why there is none. */
  point: (made: NamedCondition | string) => void;
  /** What came of it, for a while. */
  said: ReadonlySignal<{ sentence: string; refused: boolean } | null>;
}

const SAID_MILLISECONDS = 8_000;

export function openPointing({ list, add }: Pick<SubsetsState, "list" | "add">): Pointing {
  const said = signal<{ sentence: string; refused: boolean } | null>(null);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const say = (sentence: string, refused: boolean) => {
    const saying = { sentence, refused };
    said.value = saying;
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (said.peek() === saying) said.value = null;
    }, SAID_MILLISECONDS);
  };
  return {
    said,
    point: (made) => {
      if (typeof made === "string") {
        say(made, true);
        return;
      }
      const known = list.peek().find(({ condition }) => condition === made.condition);
      if (!known) add(made.condition, made.name);
      const name = known?.name ?? list.peek().at(-1)?.name ?? made.name;
      say(known ? `“${name}” is a row already` : `“${name}” is a row now`, false);
    },
  };
}
