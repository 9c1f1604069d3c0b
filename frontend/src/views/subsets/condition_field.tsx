/** Field of a condition: coloured and completed while it is typed, with its mistake underlined. */

import { type Signal, useSignal } from "@preact/signals";
import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useId, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { Mistake } from "../../contract/client";
import type { Completion } from "../../language/completion";
import { quoteText, readWords } from "../../language/tokens";
import type { Draft, Verdict } from "../../store/draft";
import { vocabularyOf } from "../../store/vocabulary";
import { useSnapshot, useTab } from "../../ui/context";
import { deferredModule } from "../../ui/deferred";
import { countText } from "../../ui/numbers";

/** Nothing is completed before something is typed. */
const completing = deferredModule(() => import("../../language/completion"));

function NoteLine({ draft }: { draft: Draft }) {
  const { value: verdict } = draft.verdict;
  const note = verdict.status === "counted" ? verdict.answer.note : "";
  return (
    <p class="note-line" role="status" data-testid="subset-note" hidden={note === ""}>
      {note}
    </p>
  );
}

interface MistakeLineProperties {
  id: string;
  typing: Typing;
  scrolled: number;
}

function MistakeLine({ id, typing, scrolled }: MistakeLineProperties) {
  const { wrong } = typing;
  const line = useRef<HTMLParagraphElement>(null);
  useLayoutEffect(() => {
    // Measuring lays the whole tab out, which is noticed when it happens with every character.
    if (!wrong || !line.current?.parentElement) return;
    const word = line.current.closest(".condition-field")?.querySelector<HTMLElement>(".mistake");
    const room = line.current.parentElement.clientWidth / 2;
    line.current.style.marginLeft = `${Math.max(0, Math.min(room, (word?.offsetLeft ?? 0) - scrolled))}px`;
  });
  return (
    <p ref={line} id={id} class="mistake-line" role="status" data-testid="subset-error" hidden={!wrong}>
      {wrong?.message}
      {wrong?.mistake && wrong.mistake.suggestion !== "" && <Suggestion typing={typing} mistake={wrong.mistake} />}
    </p>
  );
}

function Suggestion({ typing, mistake }: { typing: Typing; mistake: Mistake }) {
  const { start, end, suggestion } = mistake;
  const mend = () => typing.accept({ insert: suggestion, start, end, detail: "", count: null });
  return (
    <>
      {" Did you mean "}
      <button type="button" class="suggestion" data-testid="subset-suggestion" onClick={mend}>
        {suggestion}
      </button>
      ?
    </>
  );
}

interface MirrorProperties {
  text: string;
  ghost: string;
  mistake: Mistake | null;
  /** By how many pixels the field is scrolled. */
  scrolled: number;
}

function Mirror({ text, ghost, mistake, scrolled }: MirrorProperties) {
  return (
    <div class="condition-mirror" aria-hidden="true">
      <span style={{ transform: `translateX(${-scrolled}px)` }}>
        {pieces(text, mistake)}
        <span class="ghost">{ghost}</span>
      </span>
    </div>
  );
}

function pieces(text: string, mistake: Mistake | null): ComponentChildren[] {
  const words = readWords(text);
  const edges = words.flatMap(({ start, end }) => [start, end]);
  if (mistake) edges.push(...[mistake.start, mistake.end].map((edge) => Math.min(edge, text.length)));
  const cuts = [...new Set([0, ...edges, text.length])].sort((first, second) => first - second);
  return cuts.slice(0, -1).map((start, at) => {
    const end = cuts[at + 1] ?? start;
    const kind = words.find((word) => word.start <= start && word.end >= end)?.kind ?? "gap";
    const isWrong = mistake !== null && start >= mistake.start && end <= mistake.end;
    return (
      <span key={start} class={isWrong ? `word-${kind} mistake` : `word-${kind}`}>
        {text.slice(start, end)}
      </span>
    );
  });
}

interface CompletionsProperties {
  /** Names the list and its items. */
  id: string;
  typing: Typing;
  shown: boolean;
}

function Completions({ id, typing, shown }: CompletionsProperties) {
  const { completions, chosen, accept } = typing;
  return (
    <div id={`${id}-list`} class="completions" role="listbox" aria-label="Completions" hidden={!shown}>
      {shown &&
        completions.map((completion, position) => (
          <Item
            key={completion.insert}
            id={`${id}-${position}`}
            completion={completion}
            chosen={position === chosen.value}
            accept={() => accept(completion)}
          />
        ))}
    </div>
  );
}

interface ItemProperties {
  id: string;
  completion: Completion;
  chosen: boolean;
  accept: () => void;
}

function Item({ id, completion, chosen, accept }: ItemProperties) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (chosen) element.current?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the field's keys choose and accept
    <div
      ref={element}
      id={id}
      role="option"
      tabIndex={-1}
      aria-selected={chosen}
      data-testid="completion"
      data-insert={completion.insert}
      // The field keeps the focus.
      onPointerDown={(event) => event.preventDefault()}
      onClick={accept}
    >
      <code>{completion.insert}</code>
      <span>{completion.detail}</span>
      {completion.count !== null && <span class="completion-count">{countText(completion.count)}</span>}
    </div>
  );
}

/** What the keys and the list have in common. */
interface Typing {
  draft: Draft;
  field: RefObject<HTMLInputElement | null>;
  caret: Signal<number>;
  open: Signal<boolean>;
  /** Position in the list that the arrow keys chose; -1 for none. */
  chosen: Signal<number>;
  completions: readonly Completion[];
  ghost: string;
  /** What is wrong, unless it is the word that is being completed. */
  wrong: Extract<Verdict, { status: "wrong" }> | null;
  accept: (completion: Completion) => void;
}

export function ConditionField() {
  const typing = useTyping();
  const { draft, field, caret, open, chosen, completions, ghost, wrong } = typing;
  const snapshot = useSnapshot().snapshot.value;
  const example = snapshot?.unlabelled ? `predicted = ${quoteText(snapshot.classes[0] ?? "")}` : "label <> predicted";
  const id = useId();
  const scrolled = useSignal(0);
  const isListed = open.value && completions.length > 0;
  const follow = () => {
    caret.value = field.current?.selectionStart ?? 0;
    scrolled.value = field.current?.scrollLeft ?? 0;
  };
  return (
    <div class={wrong ? "condition-field mistaken" : "condition-field"}>
      <Mirror text={draft.text.value} ghost={ghost} mistake={wrong?.mistake ?? null} scrolled={scrolled.value} />
      <input
        ref={field}
        type="text"
        class="condition-input"
        data-testid="subset-input"
        role="combobox"
        aria-label="Condition of a subset"
        aria-expanded={isListed}
        aria-controls={`${id}-list`}
        aria-autocomplete="both"
        aria-activedescendant={isListed && chosen.value >= 0 ? `${id}-${chosen.value}` : undefined}
        aria-invalid={wrong !== null}
        aria-describedby={`${id}-mistake`}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        maxLength={4096}
        placeholder={`condition, e.g. ${example} AND score < 0.6`}
        value={draft.text.value}
        onFocus={() => {
          draft.begin();
          void completing.load();
        }}
        onBlur={() => {
          open.value = false;
        }}
        onInput={(event) => {
          draft.text.value = event.currentTarget.value;
          open.value = true;
          chosen.value = -1;
          follow();
        }}
        onClick={() => {
          open.value = true;
          follow();
        }}
        onKeyUp={follow}
        onSelect={follow}
        onScroll={follow}
        onKeyDown={(event) => {
          if (handleKey(event, typing)) event.preventDefault();
        }}
      />
      {ghost !== "" && (
        <span class="ghost-key" aria-hidden="true">
          Tab
        </span>
      )}
      <div class="condition-below">
        <MistakeLine id={`${id}-mistake`} typing={typing} scrolled={scrolled.value} />
        <NoteLine draft={draft} />
        <Completions id={id} typing={typing} shown={isListed} />
      </div>
    </div>
  );
}

function useTyping(): Typing {
  const { draft } = useTab();
  const field = useRef<HTMLInputElement>(null);
  const caret = useSignal(0);
  const open = useSignal(false);
  const chosen = useSignal(-1);
  const text = draft.text.value;
  const snapshot = useSnapshot().snapshot.value;
  const summaries = draft.summaries.value;
  const vocabulary = useMemo(
    () => (snapshot && summaries.status !== "idle" ? vocabularyOf(snapshot, summaries.value ?? null) : null),
    [snapshot, summaries],
  );
  const completer = completing.module.value;
  const position = Math.min(caret.value, text.length);
  const completions = useMemo(
    () => (completer && vocabulary ? completer.completeCondition(text, position, vocabulary) : []),
    [completer, vocabulary, text, position],
  );
  const offered = completions[Math.max(0, chosen.value)];
  const ghost = (open.value && offered && completer?.ghostOf(text, position, offered)) || "";
  const isOffered = open.value && offered !== undefined && (ghost !== "" || chosen.value >= 0);
  const whole = (isOffered && completer?.applyCompletion(text, offered).text) || "";
  const completed = vocabulary && completer?.canBeWhole(whole, vocabulary) ? whole : "";
  useEffect(() => {
    draft.offered.value = completed;
  }, [draft, completed]);
  const accept = (completion: Completion) => {
    if (!completer) return;
    const next = completer.applyCompletion(text, completion);
    field.current?.focus();
    field.current?.setSelectionRange(completion.start, completion.end);
    // As if it were typed, so that the browser can undo it.
    const isTyped = document.execCommand("insertText", false, next.inserted);
    if (!isTyped) draft.text.value = next.text;
    caret.value = next.caret;
    chosen.value = -1;
  };
  const verdict = draft.verdict.value;
  const isUnfinished = verdict.status === "wrong" && ghost !== "" && (verdict.mistake?.end ?? 0) >= text.length;
  const wrong = verdict.status === "wrong" && !isUnfinished ? verdict : null;
  return { draft, field, caret, open, chosen, completions, ghost, wrong, accept };
}

/** Does what a key means; false where it means what it means everywhere. */
function handleKey(event: KeyboardEvent, typing: Typing): boolean {
  const { draft, open, chosen, completions, ghost, accept } = typing;
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return false;
  const offered = open.peek() ? completions[Math.max(0, chosen.peek())] : undefined;
  const isChosen = offered !== undefined && chosen.peek() >= 0;
  if (event.key === "Tab" && !event.shiftKey && offered && (isChosen || ghost !== "")) accept(offered);
  else if (event.key === "Enter" && isChosen) accept(offered);
  else if (event.key === "Enter") enter(typing);
  else if (event.key === "ArrowDown") choose(typing, 1);
  else if (event.key === "ArrowUp") choose(typing, -1);
  else if (event.key === "Escape" && open.peek() && completions.length > 0) {
    open.value = false;
    chosen.value = -1;
    event.stopPropagation();
  } else if (event.key === "Escape" && draft.text.peek() !== "") draft.text.value = "";
  else return false;
  return true;
}

function enter({ draft, open }: Typing): void {
  open.value = false;
  draft.commit();
}

/** Moves the choice; before the first and after the last one there is none. */
function choose({ open, chosen, completions }: Typing, by: number): void {
  open.value = true;
  const count = completions.length + 1;
  chosen.value = ((chosen.peek() + 1 + by + count) % count) - 1;
}
