/** Fields: distributions of every attribute and outcome; a value or a bar makes a subset. */

import { useEffect } from "preact/hooks";
import type { ColumnSummaries, ColumnSummary } from "../../contract/activis";
import { type Bound, binsOf, quartersOf, withinInterval, withValue } from "../../store/column_subsets";
import { useTab } from "../../ui/context";
import { Problem } from "../../ui/controls";
import { aboutText } from "../../ui/exactness";
import { useLighting } from "../../ui/lighting";
import { countText, exactText, percentText } from "../../ui/numbers";

export function FieldSheet() {
  const { draft } = useTab();
  useEffect(draft.begin, [draft]);
  const state = draft.summaries.value;
  return (
    <div class="field-sheet card" data-testid="field-sheet">
      {state.status === "error" && <Problem sentence={state.message} />}
      {state.status === "loading" && !state.value && <p class="hint">Counting…</p>}
      {state.value && <FieldList summaries={state.value} />}
    </div>
  );
}

function FieldList({ summaries }: { summaries: ColumnSummaries }) {
  const { over, total, source, note, columns } = summaries;
  const population =
    source === "all"
      ? `Counts over all ${countText(over)} instances.`
      : `Counts of all ${countText(total)} instances, estimated from ${countText(over)}.`;
  return (
    <>
      <p class="hint" data-testid="fields-over">
        {population} Click a value or a bar to make a subset of it. {note}
      </p>
      <ul>
        {columns.map((summary) => (
          <Field key={summary.name} summary={summary} total={total} over={over} isEstimate={source !== "all"} />
        ))}
      </ul>
    </>
  );
}

interface FieldProperties {
  summary: ColumnSummary;
  total: number;
  over: number;
  /** Whether only a sample was looked at. */
  isEstimate: boolean;
}

function Field({ summary, total, over, isEstimate }: FieldProperties) {
  const { name, type, present, distinct } = summary;
  const isNumber = summary.counts.length > 0 || (type === "number" && summary.values.length > 0);
  const missing = Math.round(total - present);
  const about = (count: number) => aboutText(countText(count), isEstimate);
  return (
    <li class="field-card" data-testid="field" data-name={name}>
      <h3>
        <span title={name}>{name}</span>
        <small>
          {type}
          {distinct > 0 && ` · ${isEstimate ? "at least " : ""}${countText(distinct)} different`}
          {missing > 0 ? ` · ${aboutText(percentText(present / total), isEstimate)} present` : ""}
        </small>
      </h3>
      {isNumber ? (
        <Histogram summary={summary} about={about} />
      ) : (
        <Values summary={summary} about={about} counted={(over * present) / total} />
      )}
      {isNumber && <Quarters summary={summary} />}
      {isNumber && summary.values.length > 0 && (
        <Values summary={summary} about={about} counted={Number.POSITIVE_INFINITY} />
      )}
    </li>
  );
}

interface CountsProperties {
  summary: ColumnSummary;
  /** A count in words. */
  about: (count: number) => string;
}

function Histogram({ summary, about }: CountsProperties) {
  const { pointing } = useTab();
  const lighting = useLighting();
  const bins = binsOf(summary);
  const highest = Math.max(1, ...summary.counts);
  return (
    <>
      <div class="histogram">
        {bins.map(({ count, ...bin }) => {
          const title = `${intervalText(bin, summary.type === "time" && bin.closed === "low" ? " to before " : " to ")}: ${about(count)}`;
          return (
            <button
              key={boundText(bin.low)}
              type="button"
              data-testid="field-bin"
              title={title}
              aria-label={title}
              disabled={count === 0}
              {...lighting(count === 0 ? null : withinInterval(summary, bin))}
              onClick={() => pointing.point(withinInterval(summary, bin))}
            >
              <i style={{ height: `${(100 * count) / highest}%` }} />
            </button>
          );
        })}
      </div>
      <p class="histogram-ends">
        {[bins[0]?.low, bins.at(-1)?.high].map(
          (bound, at) => bound && <span key={String(at)}>{boundText(bound)}</span>,
        )}
      </p>
    </>
  );
}

/** From one bound to the other; one alone where they are the same. */
const intervalText = ({ low, high }: { low: Bound; high: Bound }, between: string): string =>
  boundText(low) === boundText(high) ? boundText(low) : `${boundText(low)}${between}${boundText(high)}`;

const boundText = ({ value, text }: Bound): string => exactText(value, text);

function Quarters({ summary }: { summary: ColumnSummary }) {
  const { pointing } = useTab();
  const lighting = useLighting();
  const quarters = quartersOf(summary);
  if (quarters.length < 2) return null;
  return (
    <p class="quarters">
      Quarters
      {quarters.map((quarter) => (
        <button
          key={`${quarter.closed} ${boundText(quarter.low)} ${boundText(quarter.high)}`}
          type="button"
          data-testid="field-quarter"
          title="Make a subset of the instances in this part; the parts are as equal as ties allow"
          {...lighting(withinInterval(summary, quarter))}
          onClick={() => pointing.point(withinInterval(summary, quarter))}
        >
          {intervalText(quarter, "–")}
        </button>
      ))}
    </p>
  );
}

const MOST_VALUES = 8;

/** @param counted values that were looked at */
function Values({ summary, about, counted }: CountsProperties & { counted: number }) {
  const { pointing } = useTab();
  const lighting = useLighting();
  const shown = summary.values.slice(0, MOST_VALUES);
  const highest = Math.max(1, ...shown.map(({ count }) => count));
  if (shown.length === 0) return <p class="hint">Its values are not counted.</p>;
  if (summary.distinct > MOST_VALUES && summary.distinct > 0.95 * counted) {
    return <p class="hint">Hardly any value occurs twice.</p>;
  }
  return (
    <div class="field-values">
      {shown.map(({ value, count }) => (
        <button
          key={value}
          type="button"
          data-testid="field-value"
          data-value={value}
          title={`${value}: make a subset of these ${about(count)}`}
          {...lighting(withValue(summary, value))}
          onClick={() => pointing.point(withValue(summary, value))}
        >
          <span>{summary.type === "number" ? exactText(Number.NaN, value) : value === "" ? "(empty)" : value}</span>
          <i>
            <i style={{ width: `${(100 * count) / highest}%` }} />
          </i>
          <span>{about(count)}</span>
        </button>
      ))}
      {summary.counts.length === 0 && summary.distinct > shown.length && (
        <small>{countText(summary.distinct - shown.length)} more</small>
      )}
    </div>
  );
}
