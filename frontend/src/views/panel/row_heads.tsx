/** Headings above the rows' names: what orders them, and the search for a row. */
import { isInstance } from "../../store/rows";
import type { RowOrder } from "../../store/url_state";
import { useSnapshot, useTab } from "../../ui/context";
import { Popup } from "../../ui/controls";
import { deferred } from "../../ui/deferred";
import { countedText, countText } from "../../ui/numbers";
import type { MatrixFrame } from "./matrix_context";

const RowMenu = deferred(async () => (await import("./row_groups")).RowMenu);
const RowSearch = deferred(async () => (await import("./row_groups")).RowSearch);

/** From so many rows on, one is found by its name sooner than by looking. */
const SEARCHED_FROM = 16;

export function RowHeads({ frame }: { frame: MatrixFrame }) {
  const { urlState, perWord, rowSearch } = useTab();
  const { rows, snapshot } = useSnapshot();
  const words = perWord.value.get(frame.layer.name);
  const all = rows.value.filter((row) => !isInstance(row)).length;
  const shown = frame.rows.filter((row) => row.kind !== "group" && !isInstance(row)).length;
  const order = urlState.rowOrder.value;
  if (words) {
    return (
      <div class="row-heads" data-testid="row-heads">
        <div class="row-heading">
          {all < SEARCHED_FROM ? <span class="row-menu">words</span> : <RowSearch what="words" wanted={words.wanted} />}
          <span class="head-size" title="Positions with the word, of all instances">
            seen
          </span>
        </div>
      </div>
    );
  }
  return (
    <div class="row-heads" data-testid="row-heads">
      <div class="row-heading">
        <Popup
          class="menu row-menu"
          testId="row-menu"
          summary={
            <>
              {shown < all ? `${countText(shown)} of ${countText(all)} rows` : "rows"}
              <span data-unprinted> ▾</span>
            </>
          }
        >
          <RowMenu />
        </Popup>
        {all >= SEARCHED_FROM && <RowSearch what={countedText(all, "row")} wanted={rowSearch} />}
        <Head order="size" current={order} meaning="Order the rows by size, the largest first" sign="▼">
          size
        </Head>
        {!snapshot.value?.unlabelled && (
          <Head order="accuracy" current={order} meaning="Order the rows by accuracy, the lowest first" sign="▲">
            accuracy
          </Head>
        )}
      </div>
    </div>
  );
}

interface HeadProperties {
  order: RowOrder;
  current: RowOrder;
  meaning: string;
  sign: string;
  children: string;
}

/** Orders the rows, and once more brings them back as they were recorded. */
function Head({ order, current, meaning, sign, children }: HeadProperties) {
  const { urlState } = useTab();
  const on = current === order;
  return (
    <button
      type="button"
      class={`head-${order}`}
      data-testid={`order-${order}`}
      aria-pressed={on}
      title={on ? "Back to the order of recording" : meaning}
      onClick={() => {
        urlState.rowOrder.value = on ? "recorded" : order;
      }}
    >
      {children}
      {on && <span aria-hidden="true"> {sign}</span>}
    </button>
  );
}
