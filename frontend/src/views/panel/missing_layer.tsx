/** Layer that is not there: in a snapshot, or on a side of a comparison, where else it is and what may stand in its place. */
import type { LayerStore } from "../../store/layer";
import { pairedName, type Side } from "../../store/side";
import { useSnapshot, useTab } from "../../ui/context";
import { Icon, LayerGlyph, SideBadge } from "../../ui/glyphs";
import { countText, listText } from "../../ui/numbers";

export function UnrecordedLayer({ layer }: { layer: LayerStore }) {
  const { toggleLayer } = useTab();
  const snapshot = useSnapshot().snapshot.value;
  return (
    <div class="unrecorded">
      <LayerGlyph />
      <b>{layer.name}</b>
      <span>
        was not recorded here. This snapshot has{" "}
        {listText(snapshot?.layers.map((entry) => entry.name) ?? []) || "no layer"}.
      </span>
      <button type="button" class="quiet" aria-label={`Close ${layer.name}`} onClick={() => toggleLayer(layer.name)}>
        <Icon name="close" />
      </button>
    </div>
  );
}

interface MissingLayerProperties {
  side: Side;
  layer: string;
}

export function MissingLayer({ side, layer }: MissingLayerProperties) {
  const runs = useTab().catalogue.runs.value;
  const snapshot = side.view.snapshot.value;
  const wanted = pairedName(side, layer);
  return (
    <div class="missing-layer" data-testid="missing-layer" data-side={side.letter}>
      {snapshot ? (
        wanted === "" ? (
          <LeftEmpty side={side} layer={layer} />
        ) : (
          <Offers side={side} layer={layer} wanted={wanted} />
        )
      ) : (
        <p>
          <SideBadge letter={side.letter} />{" "}
          {runs.value
            ? `The run ${side.wish.value?.run} no longer has a recording. Remove it with × or choose another one.`
            : "Looking for its recordings…"}
        </p>
      )}
    </div>
  );
}

function LeftEmpty({ side, layer }: MissingLayerProperties) {
  const { comparing } = useTab();
  return (
    <button type="button" class="quiet" onClick={() => comparing.pair(side.position, layer, layer)}>
      {side.letter} is left empty here. Choose again
    </button>
  );
}

/** Another step that has the layer, another layer, or nothing. */
function Offers({ side, layer, wanted }: MissingLayerProperties & { wanted: string }) {
  const { comparing } = useTab();
  const current = side.view.snapshot.value;
  const steps = (side.run.value?.snapshots ?? [])
    .filter(({ name, layers }) => name === current?.name && layers.some((entry) => entry.name === wanted))
    .map(({ step }) => step);
  const others = current?.layers.map(({ name }) => name) ?? [];
  const nearest = steps.reduce<number | null>(
    (best, step) => (best === null || distance(step, current?.step) < distance(best, current?.step) ? step : best),
    null,
  );
  return (
    <>
      <p class="missing-title">
        <b class="side-letter">{side.letter}</b>{" "}
        {steps.length > 0
          ? `has no recording of ${wanted} at step ${countText(current?.step ?? 0)}`
          : `has no layer called ${wanted}`}
      </p>
      <p>
        {steps.length > 0
          ? `It recorded ${wanted} at ${steps.length === 1 ? "step" : "steps"} ${listText(steps.map(countText))}.`
          : others.length > 0
            ? `It recorded ${listText(others)}.`
            : "It recorded no layer at this step."}
      </p>
      <p class="missing-offers">
        {nearest !== null && (
          <button type="button" class="primary" onClick={() => comparing.change(side.position, { step: nearest })}>
            Use step {countText(nearest)}
          </button>
        )}
        {others.length > 0 && (
          <select
            aria-label={`Layer of ${side.letter} beside ${layer}`}
            data-testid="layer-choice"
            value=""
            onChange={(event) => comparing.pair(side.position, layer, event.currentTarget.value)}
          >
            <option value="">Use another layer…</option>
            {others.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        )}
        <button type="button" class="plain" onClick={() => comparing.pair(side.position, layer, "")}>
          Keep empty
        </button>
      </p>
    </>
  );
}

const distance = (step: number, from: number | undefined): number => Math.abs(step - (from ?? 0));
