/** Finds instances by a part of their text or by id; the others step back. */
import { useStore } from "../../ui/context";
import { Icon } from "../../ui/glyphs";
import { countText } from "../../ui/numbers";

export function FindField({ sampled, onEnter }: { sampled: number; onEnter: () => void }) {
  const { find, found, foundCount } = useStore();
  const count = foundCount.value;
  const clear = () => {
    find.value = "";
  };
  return (
    <search class="find" data-unprinted>
      <Icon name="search" />
      <input
        type="text"
        class="find-field"
        placeholder="Find: text or #id"
        aria-label="Find instances by text or #id"
        data-testid="find-instances"
        value={find.value}
        onInput={(event) => {
          find.value = event.currentTarget.value;
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") onEnter();
          if (event.key !== "Escape" || find.peek() === "") return;
          event.stopPropagation();
          clear();
        }}
      />
      {found.value && (
        <>
          <span class={count === 0 ? "find-count wrong" : "find-count"} role="status" data-testid="find-count">
            {countText(count)} of {countText(sampled)}
          </span>
          <button type="button" class="quiet" aria-label="Show all instances" onClick={clear}>
            <Icon name="close" />
          </button>
        </>
      )}
    </search>
  );
}
