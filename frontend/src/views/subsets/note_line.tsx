/** What else to know about the count of the condition that is being typed: why it is an estimate, what was rounded. */
import type { Draft } from "../../store/draft";

export function NoteLine({ draft }: { draft: Draft }) {
  const { value: verdict } = draft.verdict;
  const note = verdict.status === "counted" ? verdict.answer.note : "";
  return (
    <p class="note-line" role="status" data-testid="subset-note" hidden={note === ""}>
      {note}
    </p>
  );
}
