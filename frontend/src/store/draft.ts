/** Draft of a condition: checked and counted while it is typed. */

import { batch, computed, effect, type ReadonlySignal, type Signal, signal, untracked } from "@preact/signals";
import type { ColumnSummaries, SubsetDescription } from "../contract/activis";
import { type Mistake, RouteError } from "../contract/client";
import { positionInText } from "../language/tokens";
import { atOnce, createResource, type Loadable, sentenceOf } from "./resource";
import { type SubsetContext, subsetRequest } from "./subsets";

/** What is known of a text. */
export type Verdict =
  | { status: "empty" }
  | { status: "asking" }
  | { status: "counted"; answer: SubsetDescription }
  | { status: "wrong"; message: string; mistake: Mistake | null };

export interface Draft {
  text: Signal<string>;
  verdict: ReadonlySignal<Verdict>;
  /** The newest count, also while the next one is asked for. */
  latest: ReadonlySignal<SubsetDescription | null>;
  /** The condition that it is of; empty where there is none. */
  condition: ReadonlySignal<string>;
  /** The text with the offered completion in it; empty where none is offered. */
  offered: Signal<string>;
  /** How many meet it; null while that is not known or the completed text is no condition. */
  offeredAnswer: ReadonlySignal<SubsetDescription | null>;
  /** How the values are distributed that conditions can speak of; idle until it was asked for. */
  summaries: ReadonlySignal<Loadable<ColumnSummaries>>;
  /** Asks for it. */
  begin: () => void;
  /** Adds the condition as a row as soon as it is known to be right, and empties the text. */
  commit: () => void;
}

const TYPING_MILLISECONDS = 150;
/** A mistake at the end of the text is most often a word that is not finished. */
const UNFINISHED_MILLISECONDS = 700;
const OFFER_MILLISECONDS = 350;

export function openDraft(context: SubsetContext, add: (condition: string) => void): Draft {
  const text = signal("");
  const verdict = follow(context, text, TYPING_MILLISECONDS);
  const latest = signal<SubsetDescription | null>(null);
  const condition = signal("");
  effect(() => {
    const now = verdict.value;
    if (now.status === "asking") return;
    batch(() => {
      latest.value = now.status === "counted" ? now.answer : null;
      condition.value = now.status === "counted" ? text.peek().trim() : "";
    });
  });
  const offered = signal("");
  const offer = follow(context, offered, OFFER_MILLISECONDS);
  takeOverFilter(context, condition);
  return {
    text,
    verdict,
    latest,
    condition,
    offered,
    offeredAnswer: computed(() => (offer.value.status === "counted" ? offer.value.answer : null)),
    commit: createCommit(text, verdict, add),
    ...openSummaries(context),
  };
}

function createCommit(
  text: Signal<string>,
  verdict: ReadonlySignal<Verdict>,
  add: (condition: string) => void,
): () => void {
  const awaited = signal("");
  effect(() => {
    if (awaited.value === "" || verdict.value.status === "asking") return;
    const isRight = verdict.value.status === "counted" && awaited.value === text.value;
    const condition = awaited.value;
    untracked(() =>
      batch(() => {
        awaited.value = "";
        if (!isRight) return;
        add(condition);
        text.value = "";
      }),
    );
  });
  return () => {
    awaited.value = text.peek();
  };
}

function openSummaries({ client, cache, view }: SubsetContext): Pick<Draft, "summaries" | "begin"> {
  const begun = signal(false);
  const summaries = createResource<ColumnSummaries>(() => {
    const reference = view.reference.value;
    if (!begun.value || !reference) return null;
    return { key: `summaries ${view.key.value}`, load: (signal) => client.summaries(reference, signal) };
  }, cache);
  return {
    summaries: summaries.state,
    begin: () => {
      begun.value = true;
    },
  };
}

/** Asks about `text` once it has rested; a newer text or another snapshot aborts the request that is under way. */
function follow(context: SubsetContext, text: ReadonlySignal<string>, rest: number): ReadonlySignal<Verdict> {
  const verdict = signal<Verdict>({ status: "empty" });
  effect(() => {
    const written = text.value;
    const request = written.trim() === "" ? null : subsetRequest({ ...context, queue: atOnce }, written.trim());
    if (!request) {
      verdict.value = { status: "empty" };
      return undefined;
    }
    const known = context.cache.get(request.key) as SubsetDescription | undefined;
    if (known) {
      verdict.value = { status: "counted", answer: known };
      return undefined;
    }
    verdict.value = { status: "asking" };
    const controller = new AbortController();
    const timer = setTimeout(() => {
      ask(
        written,
        () => request.load(controller.signal),
        controller.signal,
        (found) => {
          if (found.status === "counted") context.cache.set(request.key, found.answer, sizeOf(found.answer));
          verdict.value = found;
        },
      );
    }, rest);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  });
  return verdict;
}

async function ask(
  written: string,
  load: () => Promise<SubsetDescription>,
  aborted: AbortSignal,
  show: (verdict: Verdict) => void,
): Promise<void> {
  try {
    const answer = await load();
    if (!aborted.aborted) show({ status: "counted", answer });
  } catch (error) {
    if (aborted.aborted) return;
    const wrong = wrongVerdict(written, error);
    const isUnfinished = wrong.mistake !== null && wrong.mistake.end >= written.trimEnd().length;
    if (isUnfinished) await new Promise((resolve) => setTimeout(resolve, UNFINISHED_MILLISECONDS));
    if (!aborted.aborted) show(wrong);
  }
}

function wrongVerdict(written: string, error: unknown): Extract<Verdict, { status: "wrong" }> {
  const mistake = error instanceof RouteError ? error.mistake : null;
  const message = sentenceOf(error);
  if (!mistake) return { status: "wrong", message, mistake };
  const offset = written.length - written.trimStart().length;
  const place = (characters: number) => offset + positionInText(written.trim(), characters);
  const { suggestion } = mistake;
  const hint = ` Did you mean ${suggestion}?`;
  return {
    status: "wrong",
    message: suggestion !== "" && message.endsWith(hint) ? message.slice(0, -hint.length) : message,
    mistake: { start: place(mistake.start), end: place(mistake.end), suggestion },
  };
}

/** The filter takes over every condition that is typed while it is on. */
function takeOverFilter({ urlState }: SubsetContext, condition: ReadonlySignal<string>): void {
  effect(() => {
    const typed = condition.value;
    if (urlState.filter.value === "" || typed === "") return;
    urlState.settle(() => {
      urlState.filter.value = typed;
    });
  });
}

const sizeOf = (answer: SubsetDescription): number => 200 + 8 * answer.rows.length;
