/** Headings above the names, sizes and accuracies of the rows. */
import { useSnapshot } from "../../ui/context";

export function RowHeads() {
  const { snapshot } = useSnapshot();
  return (
    <div class="row-heads" data-testid="row-heads">
      <span class="head-name">rows</span>
      <span class="head-size">size</span>
      {!snapshot.value?.unlabelled && <span class="head-accuracy">accuracy</span>}
    </div>
  );
}
