/** Copies the address that shows what is shown. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { copyText } from "../../ui/clipboard";
import { useStore } from "../../ui/context";
import { Icon } from "../../ui/glyphs";

const SHOWN_MILLISECONDS = 2_500;

export function LinkButton() {
  const { address } = useStore();
  const feedback = useSignal("");
  useEffect(() => {
    if (feedback.value === "") return undefined;
    const timer = setTimeout(() => {
      feedback.value = "";
    }, SHOWN_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [feedback.value]);
  const copy = async () => {
    const copied = await copyText(address.link());
    feedback.value = copied
      ? address.notice.value || "Link copied"
      : "The browser does not let the tab copy; the address bar holds the link";
  };
  return (
    <span class="link-button">
      <button
        type="button"
        class="quiet"
        aria-label="Copy link"
        title="Copy a link to what is shown"
        data-testid="copy-link"
        onClick={() => void copy()}
      >
        <Icon name="link" />
      </button>
      <span class={feedback.value ? "feedback shown" : "feedback"} role="status" data-testid="copy-feedback">
        {feedback.value}
      </span>
    </span>
  );
}
