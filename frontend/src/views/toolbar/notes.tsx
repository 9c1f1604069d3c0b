/** What a person should know about the data, the address and the server, behind one word. */
import { useStore } from "../../ui/context";
import { Popup } from "../../ui/controls";

export function Notes() {
  const { catalogue, address } = useStore();
  const silence = catalogue.silence.value;
  const warnings = catalogue.runs.value.value?.warnings ?? [];
  const notes = [silence, address.notice.value, ...warnings].filter((note) => note !== "");
  if (notes.length === 0) return null;
  const count = `${notes.length} ${notes.length === 1 ? "note" : "notes"}`;
  return (
    <Popup
      class="menu notes"
      testId="notes"
      summary={<span class={silence && "wrong"}>{silence ? "no answer" : count}</span>}
    >
      <ul class="menu-body">
        {notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
    </Popup>
  );
}
