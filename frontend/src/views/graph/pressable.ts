/** What makes a part of the drawing a button. */

interface Press {
  name: string;
  /** Whether the Tab key stops at it; the arrow keys reach everything. */
  tabStop: boolean;
  onPress: () => void;
  onFocus?: () => void;
  /** Of something that opens and closes: which it is. */
  expanded?: boolean;
}

/** A name that holds what is written, as it is written, so that it can be called by that; then what is not. */
export const spokenName = (what: string, written: readonly string[], more: readonly string[]): string => {
  const label = written.filter(Boolean).join(" ");
  return [`${what} ${label}`, ...more.filter((text) => text !== "" && text !== written[0])].join(", ");
};

export function pressable({ name, tabStop, onPress, onFocus, expanded }: Press) {
  return {
    role: "button" as const,
    tabindex: tabStop ? 0 : -1,
    "aria-label": name,
    "aria-expanded": expanded,
    class: "pressable",
    onClick: onPress,
    onFocus,
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      event.stopPropagation();
      onPress();
    },
  };
}
