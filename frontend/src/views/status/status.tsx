/** Status of the tab: places of panels to come, and unknown names in the link. */

import { useTab } from "../../ui/context";
import { Icon } from "../../ui/glyphs";

export function UnknownLine() {
  const { unknown } = useTab();
  const sentences = unknown.sentences.value;
  if (sentences.length === 0) return null;
  return (
    <div class="unknown" role="alert" data-testid="unknown">
      <Icon name="link" />
      <ul>
        {sentences.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      <button type="button" class="primary" onClick={unknown.keepShown}>
        Keep what is shown
      </button>
    </div>
  );
}

/** Stands where the first two panels will be in a moment. */
export function PanelPlaces() {
  return (
    <>
      <div class="card panel" />
      <div class="card panel" />
    </>
  );
}
