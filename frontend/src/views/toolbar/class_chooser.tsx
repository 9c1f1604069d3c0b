/** Choice of the classes that have a colour of their own, where there are more classes than colours. */

import { useSignal } from "@preact/signals";
import { toggle } from "../../store/url_state";
import { usePalette, useTab } from "../../ui/context";
import { ClassDot } from "../../ui/glyphs";
import { countText } from "../../ui/numbers";

interface ClassChooserProperties {
  classes: readonly string[];
  colours: readonly string[];
  limit: number;
}

/** So many are listed at once; the field finds the others. */
const MOST_LISTED = 100;

export function ClassChooser({ classes, colours, limit }: ClassChooserProperties) {
  const { urlState } = useTab();
  const wanted = useSignal("");
  const other = usePalette().otherClass;
  const isColoured = (label: number) => colours[label] !== other;
  const coloured = classes.filter((_, label) => isColoured(label));
  const isChosen = urlState.coloured.value.length > 0;
  const choose = (name: string) => {
    if (!isChosen) urlState.coloured.value = coloured;
    toggle(urlState.coloured, name);
  };
  const matching = classes
    .map((name, label) => ({ name, label }))
    .filter(({ name }) => name.toLowerCase().includes(wanted.value.trim().toLowerCase()))
    .sort((first, second) => Number(isColoured(second.label)) - Number(isColoured(first.label)));
  return (
    <>
      <p>
        {isChosen
          ? `You chose ${countText(coloured.length)} of at most ${limit} classes that have a colour of their own; the others are grey.`
          : `The ${limit} classes that are most confused at the last step have a colour of their own; the others are grey.`}
      </p>
      {isChosen && (
        <button
          type="button"
          data-testid="colour-most-confused"
          onClick={() => {
            urlState.coloured.value = [];
          }}
        >
          Colour the most confused
        </button>
      )}
      <input
        class="field"
        type="search"
        placeholder="Find a class"
        aria-label="Find a class"
        onInput={(event) => {
          wanted.value = event.currentTarget.value;
        }}
      />
      {matching.slice(0, MOST_LISTED).map(({ name, label }) => (
        <label key={name}>
          <input
            type="checkbox"
            checked={isColoured(label)}
            disabled={!isColoured(label) && coloured.length >= limit}
            onChange={() => choose(name)}
          />
          <ClassDot colour={colours[label]} />
          <span>{name}</span>
        </label>
      ))}
      {matching.length > MOST_LISTED && <p>+ {countText(matching.length - MOST_LISTED)} more: type to find one</p>}
      {matching.length === 0 && <p>No class has this name.</p>}
    </>
  );
}
