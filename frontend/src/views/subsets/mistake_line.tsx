/** What is wrong with the condition, under the word that is, with a click to mend it. */

import { useLayoutEffect, useRef } from "preact/hooks";
import type { Mistake } from "../../contract/client";
import type { Typing } from "./condition_field";

interface MistakeLineProperties {
  id: string;
  typing: Typing;
  scrolled: number;
}

export function MistakeLine({ id, typing, scrolled }: MistakeLineProperties) {
  const { wrong } = typing;
  const line = useRef<HTMLParagraphElement>(null);
  useLayoutEffect(() => {
    // Measuring lays the whole tab out, which is noticed when it happens with every character.
    if (!wrong || !line.current?.parentElement) return;
    const word = line.current.closest(".condition-field")?.querySelector<HTMLElement>(".mistake");
    const room = line.current.parentElement.clientWidth / 2;
    line.current.style.marginLeft = `${Math.max(0, Math.min(room, (word?.offsetLeft ?? 0) - scrolled))}px`;
  });
  return (
    <p ref={line} id={id} class="mistake-line" role="status" data-testid="subset-error" hidden={!wrong}>
      {wrong?.message}
      {wrong?.mistake && wrong.mistake.suggestion !== "" && <Suggestion typing={typing} mistake={wrong.mistake} />}
    </p>
  );
}

function Suggestion({ typing, mistake }: { typing: Typing; mistake: Mistake }) {
  const { start, end, suggestion } = mistake;
  const mend = () => typing.accept({ insert: suggestion, start, end, detail: "", count: null });
  return (
    <>
      {" Did you mean "}
      <button type="button" class="suggestion" data-testid="subset-suggestion" onClick={mend}>
        {suggestion}
      </button>
      ?
    </>
  );
}
