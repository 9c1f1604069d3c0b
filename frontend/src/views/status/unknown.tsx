/** Says above everything what the link names and there is not, as something else stands in its place. */
import { useStore } from "../../ui/context";
import { Icon } from "../../ui/glyphs";

export function UnknownLine() {
  const { unknown } = useStore();
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
