/** The text of the condition in colours, behind the field, whose own letters are not seen. */

import type { ComponentChildren } from "preact";
import type { Mistake } from "../../contract/client";
import { readWords } from "../../language/tokens";

interface MirrorProperties {
  text: string;
  ghost: string;
  mistake: Mistake | null;
  /** By how many pixels the field is scrolled. */
  scrolled: number;
}

export function Mirror({ text, ghost, mistake, scrolled }: MirrorProperties) {
  return (
    <div class="condition-mirror" aria-hidden="true">
      <span style={{ transform: `translateX(${-scrolled}px)` }}>
        {pieces(text, mistake)}
        <span class="ghost">{ghost}</span>
      </span>
    </div>
  );
}

function pieces(text: string, mistake: Mistake | null): ComponentChildren[] {
  const words = readWords(text);
  const edges = words.flatMap(({ start, end }) => [start, end]);
  if (mistake) edges.push(...[mistake.start, mistake.end].map((edge) => Math.min(edge, text.length)));
  const cuts = [...new Set([0, ...edges, text.length])].sort((first, second) => first - second);
  return cuts.slice(0, -1).map((start, at) => {
    const end = cuts[at + 1] ?? start;
    const kind = words.find((word) => word.start <= start && word.end >= end)?.kind ?? "gap";
    const isWrong = mistake !== null && start >= mistake.start && end <= mistake.end;
    return (
      <span key={start} class={isWrong ? `word-${kind} mistake` : `word-${kind}`}>
        {text.slice(start, end)}
      </span>
    );
  });
}
