/** How much room the graph takes: a bar, a strip, or most of the page. */
import type { GraphSize } from "../../store/durable";
import { useStore } from "../../ui/context";
import { Icon } from "../../ui/glyphs";

export function SizeButtons() {
  const { graphSize } = useStore().durable;
  const size = graphSize.value;
  const toggle = (other: GraphSize) => () => {
    graphSize.value = size === other ? "normal" : other;
  };
  return (
    <span class="size-buttons">
      {size !== "slim" && (
        <button
          type="button"
          class="quiet"
          data-testid="tall-graph"
          aria-pressed={size === "tall"}
          aria-label="Give the graph more room"
          title={size === "tall" ? "Give the panels their room back" : "Give the graph more room"}
          onClick={toggle("tall")}
        >
          <Icon name={size === "tall" ? "restore" : "maximise"} />
        </button>
      )}
      <button
        type="button"
        class="quiet"
        data-testid="slim-graph"
        aria-expanded={size !== "slim"}
        aria-label="Show the graph"
        title={size === "slim" ? "Show the graph" : "Shrink the graph to a bar"}
        onClick={toggle("slim")}
      >
        <Icon name={size === "slim" ? "down" : "up"} />
      </button>
    </span>
  );
}
