/** What the signs of the graph mean. */

import type { Graph } from "../../contract/activis";

export function Key({ graph }: { graph: Graph }) {
  const has = (found: (node: Graph["nodes"][number]) => boolean) => graph.nodes.some(found);
  return (
    <ul class="graph-key" aria-label="Signs">
      <li>
        <i class="key-operator" />
        operator
      </li>
      <li>
        <i class="key-tensor" />
        tensor
      </li>
      <li>
        <i class="key-tensor recorded" />
        recorded
      </li>
      {has((node) => node.layer_candidates.length > 0) && (
        <li>
          <i class="key-tensor ambiguous">?</i>
          perhaps
        </li>
      )}
      <li>
        <i class="layer-glyph" />
        open
      </li>
      {has((node) => node.kind === "group") && (
        <li>
          <i class="key-group" />
          group
        </li>
      )}
    </ul>
  );
}
