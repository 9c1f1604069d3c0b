/** Labels of the clusters of a projection: names of classes; hovering one is hovering its class. */

import type { Signal } from "@preact/signals";
import { useMemo, useRef } from "preact/hooks";
import { NAME_HEIGHT, placeNames } from "../../draw/cluster_names";
import { hasLabels } from "../../draw/colouring";
import type { Box } from "../../draw/marks";
import { FONT, fitText } from "../../draw/matrix_text";
import type { PlacedPoints, View } from "../../draw/projection";
import { zoomPoints } from "../../draw/projection";
import { useClassColours, usePalette, useSnapshot, useTab } from "../../ui/context";
import { leaveHover } from "../../ui/lighting";
import { zoomByWheel } from "./projection_pointer";

const ruler = document.createElement("canvas").getContext("2d");

const LONGEST = 120;
/** Of the box beside its text. */
const PADDING = 12;

interface BoxedName {
  text: string;
  width: number;
}

function boxed(name: string): BoxedName {
  if (!ruler) return { text: name, width: 7 * name.length + PADDING };
  ruler.font = `500 11px ${FONT}`;
  const text = fitText(ruler, name, LONGEST);
  return { text, width: Math.ceil(ruler.measureText(text).width) + PADDING };
}

interface ClusterNamesProperties {
  /** Where the dots are, or will be at the end of their way. */
  placed: PlacedPoints;
  view: Signal<View>;
  width: number;
  height: number;
  /** Boxes that no name may cover. */
  kept: readonly Box[];
}

export function ClusterNames({ placed, view, width, height, kept }: ClusterNamesProperties) {
  const { urlState } = useTab();
  const store = useSnapshot();
  const palette = usePalette();
  const colours = useClassColours();
  const columns = store.columns.value;
  const classes = store.snapshot.value?.classes ?? [];
  const by = urlState.colour.value;
  const shown = view.value;
  // What follows the view is there at once; what follows the dots goes with them.
  const before = useRef(shown);
  const glides = before.current === shown;
  before.current = shown;

  const boxes = useMemo(
    () => classes.map((name, label) => (colours[label] === palette.otherClass ? null : boxed(name))),
    [classes, colours, palette],
  );
  const places = useMemo(() => {
    if (!columns) return [];
    const codes = by === "predicted" || !hasLabels(columns) ? columns.predicted : columns.label;
    const positions = zoomPoints(placed.positions, shown);
    const widths = boxes.map((box) => box?.width ?? 0);
    return placeNames({ positions, codes, widths, width, height, kept, origin: shown });
  }, [columns, by, placed, shown, boxes, width, height, kept]);

  const byClass = by === "label" || by === "predicted";
  const light = (label: number) => {
    const row = store.rowOfKey(`class:${classes[label]}`);
    store.hover.value = row ? { source: "label", row } : null;
  };
  return (
    <div class={glides ? "cluster-names gliding" : "cluster-names"} aria-hidden="true">
      {places.map(({ label, left, top, width: wide }) => (
        <span
          key={classes[label]}
          class="cluster-name"
          data-testid="cluster-name"
          data-name={classes[label]}
          title={boxes[label]?.text === classes[label] ? undefined : classes[label]}
          style={{
            width: `${wide}px`,
            height: `${NAME_HEIGHT}px`,
            transform: `translate(${left}px, ${top}px)`,
            borderColor: byClass ? colours[label] : palette.secondary,
          }}
          onPointerEnter={() => light(label)}
          onPointerLeave={() => leaveHover(store.hover)}
          onWheel={(event) => zoomByWheel(event, view, left + event.offsetX, top + event.offsetY)}
        >
          {boxes[label]?.text}
        </span>
      ))}
    </div>
  );
}
