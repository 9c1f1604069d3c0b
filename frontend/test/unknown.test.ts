/** What a link names and there is not is said, and what it asks for has bounds. */

import { expect, test } from "vitest";
import { joinList } from "../src/store/address";
import { followUnknown } from "../src/store/unknown";
import { boundLink } from "../src/store/url_state";
import { open } from "./opened_store";
import { runEntry, runList, snapshot } from "./samples";

const said = async (values: Record<string, string>) => {
  const { tab } = await open({}, values);
  return followUnknown(tab).sentences.value;
};

test("a link to what is there says nothing", async () => {
  expect(await said({})).toEqual([]);
  expect(await said({ run: "cnn/activis", name: "validation", step: "1", layers: "hidden", over: "hidden" })).toEqual(
    [],
  );
  expect(await said({ run: "cnn/activis", step: "2.0" })).toEqual([]);
  expect(await said({ run: "cnn/activis", step: "7", follow: "latest" })).toEqual([]);
  const rows = { sort: "instance:a", locked: "class:cat", pinned: joinList(["a", "c"]), colours: "dog" };
  expect(await said({ ...rows, colour: "score", size: "active", graph: "tall", projection: "steps-50" })).toEqual([]);
  expect(await said({ colour: "neuron:17:hidden", neuron: "17:hidden", names: "off", rings: "off" })).toEqual([]);
  const comparing = { vs: joinList(["cnn/activis", "validation", "1"]), show: "layer", differing: "hidden" };
  const chosen = { pairs: joinList(["0", "hidden", ""]), outcomes: "outcome:only_base:0", align: "index" };
  expect(await said({ ...comparing, ...chosen, sort: "outcome:only_base:0", kept: "elsewhere" })).toEqual([]);
});

test.each([
  [{ run: "gone/activis" }, "The link names the run “gone/activis”, of which there is no recording here."],
  [{ run: "cnn/activis", name: "train" }, "has no recording called “train”; it has “validation”."],
  [{ run: "cnn/activis", name: "validation", step: "7" }, "has no recording of step 7; it has 2 steps from 1 to 2."],
  [{ run: "cnn/activis", step: "7" }, "has no recording of step 7"],
  [{ run: "cnn/activis", step: "last" }, "The link's step, “last”, is no whole number."],
  [{ over: "gone" }, "No step of this run has a layer called “gone”."],
  [{ sort: "class:gone" }, "The neurons are in their natural order: there is no row “gone” to sort them by."],
  [{ sort: "backwards" }, "there is no row “backwards” to sort them by."],
  [{ locked: "typed:gone" }, "There is no row “gone” to highlight."],
  [{ layers: "hidden", maximised: "gone" }, "The layer “gone” is not open to be shown alone."],
  [{ sort: "instance:gone" }, "there is no row “gone” to sort them by."],
  [{ sort: "outcome:only_base:0" }, "there is no row “only_base:0” to sort them by."],
  [{ pinned: joinList(["a", "gone"]) }, "1 pinned instance is not among those kept here: “gone”."],
  [{ colours: joinList(["cat", "gone"]) }, "There is no class “gone” to colour."],
  [{ colour: "attribute:gone" }, "coloured by their true class: no attribute “gone” can colour them."],
  [{ colour: "neuron:3:gone" }, "no neuron 3 of “gone” can colour them."],
  [{ colour: "neuron:18:hidden" }, "no neuron 18 of “hidden” can colour them."],
  [{ colour: "rainbow" }, "no attribute “rainbow” can colour them."],
  [{ differing: "gone" }, "No step of this run has a layer called “gone” to show as differences."],
  [{ pairs: joinList(["0", "hidden", "hidden"]) }, "pairs layers that are not there: “hidden” with “hidden”."],
  [{ outcomes: "outcome:only_base:0" }, "Nothing is compared that has a row “only_base:0”."],
  [{ outcomes: "nonsense" }, "Nothing is compared that has a row “nonsense”."],
  [{ projection: "umap" }, "“umap” for “projection”, which can be pca, tsne-30 or steps-30"],
  [{ projection: "tsne-999" }, "with a perplexity of 5 to 100"],
  [{ size: "huge" }, "“huge” for “size”, which can be: fixed, active."],
  [{ graph: "none" }, "“none” for “graph”, which can be: normal, slim, tall."],
  [{ show: "both" }, "“both” for “show”"],
  [{ align: "worst" }, "“worst” for “align”"],
  [{ follow: "oldest" }, "“oldest” for “follow”, which can be: latest."],
  [{ subsets: joinList(["empty", " "]) }, "a subset without a condition"],
  [{ subsets: joinList(["named", "score > 0", "left over"]) }, "2 subsets; 1 of them are left out."],
  [{ neurons: "3", other: "x" }, "something that is not known here: neurons, other."],
  [{ neuron: "3" }, "There is no neuron “3”, whose card the link opens."],
  [{ neuron: "3:gone" }, "There is no neuron 3 of “gone”, whose card the link opens."],
  [{ neuron: "18:hidden" }, "There is no neuron 18 of “hidden”, whose card the link opens."],
  [{ vs: joinList(["gone", "validation", "1"]) }, "B: The link names the run “gone”"],
  [{ vs: joinList(["cnn/activis", "validation", "last"]) }, "The link's step, “last”, is no whole number."],
  [{ vs: joinList(["cnn/activis", "validation", "7"]) }, "B: Run “cnn” has no recording of step 7"],
])("what is not there is said, with what is shown: %j", async (values, sentence) => {
  const [first, ...others] = await said(values as Record<string, string>);
  expect(first).toContain(sentence);
  expect(others).toEqual([]);
});

test("what is shown instead can be kept, and is then what the address names", async () => {
  const { tab, hash } = await open(
    {},
    { run: "gone", step: "7", vs: joinList(["cnn/activis", "validation", "9"]), over: "x" },
  );
  expect(followUnknown(tab).sentences.value).toHaveLength(3);
  expect(followUnknown(tab).sentences.value[0]).toContain("Shown is “cnn”, validation at step 2.");
  followUnknown(tab).keepShown();
  expect(followUnknown(tab).sentences.value).toEqual([]);
  expect(hash.written).toMatchObject({ run: "cnn/activis", name: "validation", step: "2", over: "" });
  expect(hash.written.vs).toBe(joinList(["cnn/activis", "validation", "2"]));
});

test("whatever is not there is let go of at once, and what is there stays", async () => {
  const { tab, hash } = await open(
    {},
    {
      sort: "class:gone",
      locked: "typed:gone",
      maximised: "gone",
      pinned: joinList(["gone", "b"]),
      colours: joinList(["gone", "dog"]),
      colour: "attribute:gone",
      differing: joinList(["gone", "hidden"]),
      pairs: joinList(["3", "hidden", "hidden"]),
      outcomes: "outcome:only_base:0",
      size: "huge",
    },
  );
  expect(followUnknown(tab).sentences.value).toHaveLength(10);
  followUnknown(tab).keepShown();
  expect(followUnknown(tab).sentences.value).toEqual([]);
  const gone = { sort: "", locked: "", maximised: "", colour: "", pairs: "", outcomes: "", size: "" };
  expect(hash.written).toMatchObject({ ...gone, pinned: "b", colours: "dog", differing: "hidden" });
});

test("a run that comes later takes the place of what was shown instead", async () => {
  let runs = [runEntry("cnn/activis", [snapshot({ step: 1 })])];
  const { tab } = await open({ runs: async () => runList(runs) }, { run: "late/activis" });
  expect(tab.catalogue.reference.value?.run).toBe("cnn/activis");
  runs = [...runs, runEntry("late/activis", [snapshot({ step: 5 })])];
  await tab.catalogue.refresh();
  expect(tab.catalogue.reference.value).toMatchObject({ run: "late/activis", step: 5 });
  expect(followUnknown(tab).sentences.value).toEqual([]);
});

test("a link that can mean two runs names them", async () => {
  const runs = ["1/seed/activis", "2/seed/activis"].map((run) => runEntry(run, [snapshot({})]));
  const { tab } = await open({ runs: async () => runList(runs) }, { run: "seed/activis" });
  const [sentence] = followUnknown(tab).sentences.value;
  expect(sentence).toContain("which can be “1/seed/activis” or “2/seed/activis”: choose one.");
});

test("a link that means its run by another name keeps its step while new ones come", async () => {
  let steps = [1, 2];
  const list = () =>
    runList(
      [
        runEntry(
          "cnn/activis",
          steps.map((step) => snapshot({ step })),
        ),
      ],
      { logdir: "runs" },
    );
  const { tab, hash } = await open({ runs: async () => list() }, { run: "runs/cnn/activis" });
  expect(tab.catalogue.reference.value).toMatchObject({ run: "cnn/activis", step: 2 });
  expect(hash.written).toMatchObject({ run: "runs/cnn/activis", step: "2" });
  steps = [1, 2, 3];
  await tab.catalogue.refresh();
  expect(tab.catalogue.reference.value).toMatchObject({ run: "cnn/activis", step: 2 });
});

const many = (count: number) => joinList(Array.from({ length: count }, (_, at) => `item ${at}`));

test.each([
  ["layers", 24, 1],
  ["vs", 4, 3],
  ["subsets", 100, 2],
  ["pinned", 5000, 1],
  ["pairs", 96, 3],
])("a link opens a bounded number of %s, and says what it leaves out", (key, most, items) => {
  const within = { [key]: many(most * items) };
  expect(boundLink(within)).toEqual({ values: within, notes: [] });
  const { values, notes } = boundLink({ [key]: many(50_000 * items) });
  expect(values).toEqual(within);
  expect(notes).toHaveLength(1);
  expect(notes[0]).toContain(`${(50_000 - most).toLocaleString("en")} of them are left out`);
});

test("a link's names and conditions have a bounded length", () => {
  const long = "é".repeat(5_000);
  const { values, notes } = boundLink({ run: long, filter: "a".repeat(4_096), layers: joinList(["hidden", long]) });
  expect(values).toEqual({ filter: "a".repeat(4_096), layers: "hidden" });
  expect(notes).toHaveLength(2);
});

test("a link that asks for too much opens, bounded, and says so", async () => {
  const { tab } = await open({}, { layers: many(10_000), vs: many(3_000) });
  expect(tab.urlState.layers.value).toHaveLength(24);
  expect(tab.comparing.sides.value).toHaveLength(4);
  expect(followUnknown(tab).sentences.value.filter((sentence) => sentence.includes("are left out"))).toHaveLength(2);
});
