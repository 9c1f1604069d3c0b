/** Explains the signs, the keys and the words, beside what they are about: a dialog over the tab. */

import { useEffect, useRef } from "preact/hooks";
import { Icon } from "../../ui/glyphs";
import { Encodings } from "./encodings";
import { DEFINITIONS, KEYS } from "./texts";

interface HelpProperties {
  open: boolean;
  onClose: () => void;
}

export function Help({ open, onClose }: HelpProperties) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    <dialog
      ref={dialog}
      class="help"
      aria-labelledby="help-title"
      data-testid="help"
      onClose={onClose}
      onKeyDown={keepFocus}
      onPointerDown={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
    >
      {open && <HelpText onClose={onClose} />}
    </dialog>
  );
}

/** A modal dialog holds the focus in its own document, but not from the page around the frame. */
function keepFocus(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  if (event.key !== "Tab") return;
  const reachable = [...event.currentTarget.querySelectorAll<HTMLElement>("button, [tabindex='0']")];
  const at = reachable.indexOf(document.activeElement as HTMLElement);
  const next = (at + (event.shiftKey ? -1 : 1) + reachable.length) % reachable.length;
  reachable[next]?.focus();
  event.preventDefault();
}

function HelpText({ onClose }: { onClose: () => void }) {
  return (
    <div class="help-text">
      <header>
        <h2 id="help-title">What you see here</h2>
        <button type="button" class="quiet" aria-label="Close help" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <p class="help-story">
        Click a yellow tensor in the graph: its panel shows how strongly each neuron responds to each class, subset and
        pinned instance, and which instances are alike to the layer. Hover a row, a dot or a square: the same instances
        light up everywhere. Click a row's name to sort the neurons by it, an instance to pin it.
      </p>
      <div class="help-columns">
        <section>
          <h3>Signs</h3>
          <Encodings />
          <h3>Keys</h3>
          <Keys />
        </section>
        <section>
          <h3>Words</h3>
          <dl class="definitions">
            {DEFINITIONS.map(({ word, meaning }) => (
              <div key={word}>
                <dt>{word}</dt>
                <dd>{meaning}</dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
    </div>
  );
}

const Keys = () => (
  <dl class="keys">
    {KEYS.map(({ keys, meaning }) => (
      <div key={meaning}>
        <dt>
          {keys.map((key) => (
            <kbd key={key}>{key}</kbd>
          ))}
        </dt>
        <dd>{meaning}</dd>
      </div>
    ))}
  </dl>
);
