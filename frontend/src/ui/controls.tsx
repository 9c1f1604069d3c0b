/** Controls with the tab's look and the browser's own behaviour. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

export interface Option {
  value: string;
  label: string;
}

interface PickerProperties {
  label: string;
  value: string;
  options: readonly Option[];
  onPick: (value: string) => void;
  testId: string;
  /** Stands before the value, e.g. a class's dot. */
  sign?: ComponentChildren;
}

export function Picker({ label, value, options, onPick, testId, sign }: PickerProperties) {
  return (
    <label class="picker">
      <span class="picker-label">{label}</span>
      <span class="picker-field">
        {sign}
        <select data-testid={testId} value={value} onChange={(event) => onPick(event.currentTarget.value)}>
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      </span>
    </label>
  );
}

interface SegmentedProperties {
  label: string;
  /** Whether the label is for assistive technology alone. */
  quiet?: boolean;
  value: string;
  options: readonly Option[];
  onPick: (value: string) => void;
}

export function Segmented({ label, quiet = false, value, options, onPick }: SegmentedProperties) {
  return (
    <fieldset class="segmented-field" aria-label={label}>
      {!quiet && <span class="picker-label">{label}</span>}
      <span class="segmented">
        {options.map((option) => (
          <button
            key={option.value}
            type="button"
            aria-pressed={option.value === value}
            onClick={() => onPick(option.value)}
          >
            {option.label}
          </button>
        ))}
      </span>
    </fieldset>
  );
}

/** A sentence where something should be and is not. */
export function Problem({ sentence, retry }: { sentence: string; retry?: () => void }) {
  return (
    <div class="problem" role="alert" data-testid="error">
      <span>{sentence}</span>
      {retry && (
        <button type="button" class="quiet" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

interface PopupProperties {
  class: string;
  summary: ComponentChildren;
  children: ComponentChildren;
  /** Names the summary where it is no text. */
  label?: string;
  testId?: string;
}

/** Something that opens below its summary, and closes when one presses elsewhere or Escape. */
export function Popup({ class: className, summary, children, label, testId }: PopupProperties) {
  const details = useRef<HTMLDetailsElement>(null);
  const open = useSignal(false);
  useEffect(() => {
    const close = (event: Event) => {
      const inside = event instanceof PointerEvent && details.current?.contains(event.target as Node);
      const otherKey = event instanceof KeyboardEvent && event.key !== "Escape";
      if (inside || otherKey || !details.current?.open) return;
      const hadFocus = details.current.contains(document.activeElement);
      details.current.open = false;
      if (hadFocus) details.current.querySelector("summary")?.focus();
    };
    document.addEventListener("pointerdown", close);
    document.addEventListener("keydown", close);
    return () => {
      document.removeEventListener("pointerdown", close);
      document.removeEventListener("keydown", close);
    };
  }, []);
  return (
    <details
      ref={details}
      class={className}
      onToggle={(event) => {
        open.value = event.currentTarget.open;
      }}
    >
      <summary aria-label={label} title={label} data-testid={testId}>
        {summary}
      </summary>
      {open.value && children}
    </details>
  );
}
