/** Edges beside the flow of data, dashed: who waits for whom, and what auxiliary groups take and give. */

import { linkHorizontal } from "d3-shape";
import type { Box, PlacedGraph } from "../../draw/graph_layout";
import type { VisibleGraph } from "../../draw/graph_tree";
import type { GraphSession } from "./session";

type Aside = VisibleGraph["asides"][number];

/** All of them at once can be read only so far. */
const MOST = 2_000;

const curve = linkHorizontal<{ from: Point; to: Point }, Point>()
  .source(({ from }) => from)
  .target(({ to }) => to);

type Point = [number, number];

export function Asides({ placed, session }: { placed: PlacedGraph; session: GraphSession }) {
  const attended = (session.hovered.value ?? session.chosen.value)?.id;
  const all = session.controls.value;
  const shown = placed.asides.filter(
    ({ control, source, target }) => (all && control) || source === attended || target === attended,
  );
  return (
    <>
      {shown.slice(0, MOST).map((aside) => (
        <path
          key={`${aside.source} ${aside.target}`}
          class={aside.control ? "edge control" : "edge aside"}
          data-testid="graph-aside"
          d={pathOf(aside, placed.boxes)}
        />
      ))}
    </>
  );
}

function pathOf({ source, target }: Aside, boxes: ReadonlyMap<string, Box>): string {
  const [from, to] = [boxes.get(source), boxes.get(target)];
  if (!from || !to) return "";
  const middle = ({ y, height }: Box) => y + height / 2;
  return curve({ from: [from.x + from.width, middle(from)], to: [to.x, middle(to)] }) ?? "";
}
