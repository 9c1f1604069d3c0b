/** What the condition can go on with, as a list under the field. */

import { useEffect, useRef } from "preact/hooks";
import type { Completion } from "../../language/completion";
import { countText } from "../../ui/numbers";
import type { Typing } from "./condition_field";

interface CompletionsProperties {
  /** Names the list and its items. */
  id: string;
  typing: Typing;
  shown: boolean;
}

export function Completions({ id, typing, shown }: CompletionsProperties) {
  const { completions, chosen, accept } = typing;
  return (
    <div id={`${id}-list`} class="completions" role="listbox" aria-label="Completions" hidden={!shown}>
      {shown &&
        completions.map((completion, position) => (
          <Item
            key={completion.insert}
            id={`${id}-${position}`}
            completion={completion}
            chosen={position === chosen.value}
            accept={() => accept(completion)}
          />
        ))}
    </div>
  );
}

interface ItemProperties {
  id: string;
  completion: Completion;
  chosen: boolean;
  accept: () => void;
}

function Item({ id, completion, chosen, accept }: ItemProperties) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (chosen) element.current?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the field's keys choose and accept
    <div
      ref={element}
      id={id}
      role="option"
      tabIndex={-1}
      aria-selected={chosen}
      data-testid="completion"
      data-insert={completion.insert}
      // The field keeps the focus.
      onPointerDown={(event) => event.preventDefault()}
      onClick={accept}
    >
      <code>{completion.insert}</code>
      <span>{completion.detail}</span>
      {completion.count !== null && <span class="completion-count">{countText(completion.count)}</span>}
    </div>
  );
}
