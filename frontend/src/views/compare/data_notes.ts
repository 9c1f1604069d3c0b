/** Whether two snapshots are about the same: their instances, layers and classes, in a few words each. */
import { matchOperators } from "../../state/operator_match";
import type { Side } from "../../store/side";
import type { Store } from "../../store/store";
import { countText, listText } from "../../ui/numbers";

export interface DataNote {
  text: string;
  title: string;
  wrong: boolean;
}

export function differencesOfData(store: Store, side: Side): DataNote[] {
  const operators = operatorNote(store, side);
  return [
    instanceNote(store, side),
    operators,
    layerNote(store, side, operators !== null),
    classNote(store, side),
  ].filter((note) => note !== null);
}

function instanceNote({ catalogue }: Store, { letter, agreement, view }: Side): DataNote | null {
  const state = agreement.state.value;
  if (state.status === "error") return { text: state.message, title: "", wrong: true };
  const [ours, theirs] = [catalogue.snapshot.value?.sampled, view.snapshot.value?.sampled];
  if (!state.value || ours === undefined || theirs === undefined) return null;
  const { over, note } = state.value;
  if (over === 0) return { text: "no instance in both", title: note, wrong: true };
  const same = over === ours && over === theirs;
  const text = same ? `same data: ${countText(over)} sampled` : `${countText(over)} instances in both`;
  return { text, title: note || `A keeps ${countText(ours)} one by one, ${letter} ${countText(theirs)}`, wrong: false };
}

/** Null where a graph lacks operators, and of two steps of one run, which are one model. */
function operatorNote({ catalogue, graph }: Store, side: Side): DataNote | null {
  const [ours, theirs] = [graph.state.value.value, side.graph.state.value.value];
  const isOneRun = catalogue.reference.value?.run === side.view.reference.value?.run;
  const match = ours && theirs && !isOneRun ? matchOperators(ours, theirs) : null;
  if (!match) return null;
  const { matched, total, lacked, added } = match;
  const facts = [
    "Operators of the same type and name in both graphs, numbers of traces aside",
    lacked.length > 0 ? `A alone: ${listText(lacked)}` : "",
    added.length > 0 ? `${side.letter} alone: ${listText(added)}` : "",
  ];
  return {
    text: `${countText(matched)} of ${countText(total)} operators match`,
    title: facts.filter((fact) => fact !== "").join(". "),
    wrong: false,
  };
}

/** @param isTold Whether the graphs have told it: then only layers that are missing are named. */
function layerNote({ catalogue }: Store, { letter, view }: Side, isTold: boolean): DataNote | null {
  const [ours, theirs] = [catalogue.snapshot.value, view.snapshot.value];
  if (!ours || !theirs) return null;
  const names = new Set(theirs.layers.map(({ name }) => name));
  const lacked = ours.layers.map(({ name }) => name).filter((name) => !names.has(name));
  if (isTold && lacked.length === 0) return null;
  const text = `${countText(ours.layers.length - lacked.length)} of ${countText(ours.layers.length)} layers match`;
  return { text, title: lacked.length > 0 ? `${letter} lacks ${listText(lacked)}` : "By their names", wrong: false };
}

/** Null where the classes are the same. */
function classNote({ catalogue }: Store, { letter, view }: Side): DataNote | null {
  const [ours, theirs] = [catalogue.snapshot.value?.classes, view.snapshot.value?.classes];
  if (!ours || !theirs) return null;
  const onlyOurs = ours.filter((name) => !theirs.includes(name));
  const onlyTheirs = theirs.filter((name) => !ours.includes(name));
  if (onlyOurs.length + onlyTheirs.length === 0) return null;
  const parts = [
    onlyOurs.length > 0 ? `${listText(onlyOurs)} in A alone` : "",
    onlyTheirs.length > 0 ? `${listText(onlyTheirs)} in ${letter} alone` : "",
  ];
  const text = `other classes: ${parts.filter((part) => part !== "").join("; ")}`;
  return { text, title: `${text}. Classes correspond by their names.`, wrong: true };
}
