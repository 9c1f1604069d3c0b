/** Controls with the tab's look and the browser's own behaviour. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

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
        <select
          data-testid={testId}
          value={value}
          title={options.find((option) => option.value === value)?.label}
          onChange={(event) => onPick(event.currentTarget.value)}
        >
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

/** Something that opens at its summary, and closes when one presses elsewhere or Escape. */
export function Popup({ class: className, summary, children, label, testId }: PopupProperties) {
  const id = useId();
  const open = useSignal(false);
  return (
    <span class={className}>
      <button type="button" popovertarget={id} aria-label={label} title={label} data-testid={testId}>
        {summary}
      </button>
      <div
        id={id}
        popover
        onToggle={(event) => {
          open.value = event.newState === "open";
        }}
      >
        {open.value && children}
      </div>
    </span>
  );
}

/** Closes the popup that `inside` stands in. */
export const closePopup = (inside: Element): void => inside.closest<HTMLElement>("[popover]")?.hidePopover();
