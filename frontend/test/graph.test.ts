import { describe, expect, test } from "vitest";
import type { GraphNode } from "../src/contract/activis";
import { startEngine } from "../src/draw/graph_engine";
import { groupTitle, layoutGraph, shapeText } from "../src/draw/graph_layout";
import {
  closeGroup,
  findNodes,
  indexGraph,
  openAtFirst,
  openTowards,
  shownFor,
  visibleGraph,
} from "../src/draw/graph_tree";
import { firstLayers, layersInFlowOrder, neighbours } from "../src/store/graph_order";
import { nodeBeside } from "../src/views/graph/canvas";
import { fittingTransform, neededHeight } from "../src/views/graph/zoom";
import { graph, layer, node, snapshot } from "./samples";

const visible = (open: string[], shown = graph()) => visibleGraph(indexGraph(shown), new Set(open));
const edgesOf = (open: string[]) => visible(open).edges.map((edge) => `${edge.source}>${edge.target}`);
// There are no workers here, so that this is the fallback.
const place = startEngine();
const placed = (open: string[], shown = graph()) => layoutGraph(visible(open, shown), place);

describe("a closed group", () => {
  test("stands for the operators inside it", () => {
    expect(visible([]).nodes.map(({ node }) => node.id)).toEqual(["tokens", "dense/", "hidden", "Softmax", "output"]);
    expect(visible([]).nodes[1]?.operators).toBe(2);
    expect(edgesOf([])).toEqual(["tokens>dense/", "dense/>hidden", "hidden>Softmax", "Softmax>output"]);
  });

  test("shows what it holds when it is opened, parameters beside their operator", () => {
    const opened = visible(["dense/"]);
    expect(opened.nodes.map(({ node }) => node.id)).not.toContain("kernel");
    expect(opened.nodes.find(({ node }) => node.id === "MatMul")?.parameters.map(({ id }) => id)).toEqual(["kernel"]);
    expect(edgesOf(["dense/"])).toContain("MatMul>sum");
    expect(edgesOf(["dense/"])).not.toContain("kernel>MatMul");
  });

  test("hides the groups inside of it, open or not, and says how many recorded tensors it holds", () => {
    const nested = nestedGraph();
    expect(visible(["outer/inner/"], nested).openGroups).toEqual([]);
    const outer = visible([], nested).nodes.find(({ node }) => node.id === "outer/");
    expect([outer?.operators, outer?.recorded]).toEqual([0, 1]);
    const index = indexGraph(nested);
    expect([...closeGroup(index, new Set(["dense/", "outer/", "outer/inner/"]), "outer/")]).toEqual(["dense/"]);
  });

  test("reads as one with a count where it holds repeated blocks", () => {
    expect(groupTitle(node("encoder", "group", { name: "encoder", repeats: 12 }))).toBe("encoder × 12");
    expect(groupTitle(node("encoder", "group", { name: "encoder" }))).toBe("encoder");
  });
});

function nestedGraph() {
  const nested = graph();
  nested.nodes.push(node("outer/", "group"), node("outer/inner/", "group", { parent: "outer/" }));
  nested.nodes.push(node("deep", "tensor", { parent: "outer/inner/", layer: "deep" }));
  return nested;
}

describe("at first", () => {
  test("groups with a recorded tensor are open, at any depth", () => {
    const many = nestedGraph();
    many.nodes.push(...Array.from({ length: 12 }, (_, at) => node(`operator${at}`, "operator")));
    expect([...openAtFirst(indexGraph(many))]).toEqual(["outer/", "outer/inner/"]);
  });

  test("a group that would bring more than 80 nodes into sight stays closed", () => {
    const many = nestedGraph();
    many.nodes.push(...Array.from({ length: 80 }, (_, at) => node(`in${at}`, "operator", { parent: "outer/" })));
    expect(openAtFirst(indexGraph(many)).has("outer/")).toBe(false);
  });

  test("the largest groups are open where little is in sight", () => {
    expect([...openAtFirst(indexGraph(graph()))]).toEqual(["dense/"]);
  });
});

describe("the picture", () => {
  const centre = async (open: string[], id: string) => {
    const found = (await placed(open)).nodes.find(({ visible }) => visible.node.id === id);
    return { x: found?.x ?? Number.NaN, y: found?.y ?? Number.NaN };
  };

  test("runs from left to right and an open group surrounds what it holds", async () => {
    const ids = ["tokens", "MatMul", "sum", "Relu", "hidden", "Softmax", "output"];
    const order = await Promise.all(ids.map(async (id) => (await centre(["dense/"], id)).x));
    expect(order).toEqual([...order].sort((first, second) => first - second));
    const { groups } = await placed(["dense/"]);
    expect(groups[0]?.x).toBeLessThan(order[1] as number);
    expect((groups[0]?.x ?? 0) + (groups[0]?.width ?? 0)).toBeGreaterThan(order[3] as number);
  });

  test("keeps what stands before a group where it is when the group is opened", async () => {
    expect(await centre(["dense/"], "tokens")).toMatchObject({ x: (await centre([], "tokens")).x });
    expect((await centre(["dense/"], "hidden")).x).toBeGreaterThan((await centre([], "hidden")).x);
  });

  test("leads an edge from its source through the border of an open group to its target", async () => {
    const { edges, groups, nodes } = await placed(["dense/"]);
    const edge = edges.find(({ source, target }) => source === "tokens" && target === "MatMul");
    const [tokens, product] = ["tokens", "MatMul"].map((id) => nodes.find(({ visible }) => visible.node.id === id));
    const xs = edge?.points.map(({ x }) => x) ?? [];
    expect(xs[0]).toBeCloseTo((tokens?.x ?? 0) + (tokens?.width ?? 0) / 2);
    expect(xs.at(-1)).toBeCloseTo((product?.x ?? 0) - (product?.width ?? 0) / 2);
    expect(xs).toContain(groups[0]?.x);
    expect(xs).toEqual([...xs].sort((first, second) => first - second));
  });

  test("has what is no part of the model below it, joined by nothing that takes room", async () => {
    const training = graph();
    training.nodes.push(node("gradients/", "group", { auxiliary: true }));
    training.nodes.push(node("Mul", "operator", { parent: "gradients/" }));
    training.edges.push({ source: "output", target: "Mul", control: false });
    const { nodes, edges, asides } = await placed([], training);
    const y = (id: string) => nodes.find(({ visible }) => visible.node.id === id)?.y ?? Number.NaN;
    expect(y("gradients/")).toBeGreaterThan(Math.max(y("tokens"), y("dense/"), y("output")));
    expect(edges.map(({ id }) => id)).not.toContain("output gradients/");
    expect(asides).toEqual([{ source: "output", target: "gradients/", control: false }]);
  });

  test("sets nodes that nothing joins in rows, not in one long column", async () => {
    const loose = graph();
    loose.edges = [];
    loose.nodes = Array.from({ length: 100 }, (_, at) => node(`operator${at}`, "operator"));
    const { bounds } = await placed([], loose);
    expect(bounds.width).toBeGreaterThan(bounds.height);
  });

  test("lets control edges have no say in the layout", async () => {
    const controlled = graph();
    controlled.edges.push({ source: "output", target: "tokens", control: true });
    const shown = await placed([], controlled);
    expect(shown.asides).toEqual([{ source: "output", target: "tokens", control: true }]);
    expect(shown.nodes.map(({ x }) => x)).toEqual((await placed([])).nodes.map(({ x }) => x));
  });

  test("stands for a graph with a cycle too", async () => {
    const cyclic = graph();
    cyclic.edges.push({ source: "output", target: "MatMul", control: false });
    const { nodes } = await placed(["dense/"], cyclic);
    expect(nodes.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))).toBe(true);
  });

  test("is walked through by the arrow keys", async () => {
    const shown = await placed([]);
    expect(nodeBeside(shown, "tokens", "ArrowRight")).toBe("dense/");
    expect(nodeBeside(shown, "hidden", "ArrowLeft")).toBe("dense/");
    expect(nodeBeside(shown, "tokens", "ArrowLeft")).toBeNull();
  });
});

describe("at first, recorded tensors are in sight", () => {
  /** Branches of one tensor each, side by side, between an entry and a sum, and a chain behind it. */
  function branches(recorded: number, chain = 0) {
    const made = graph();
    const tensors = Array.from({ length: Math.max(1, recorded) }, (_, at) => `conv${at}`);
    const rest = Array.from({ length: chain }, (_, at) => `step${at}`);
    made.nodes = [
      node("tokens", "tensor"),
      ...tensors.map((id, at) => node(id, "tensor", at < recorded ? { layer: id } : {})),
      node("Concat", "operator"),
      ...rest.map((id) => node(id, "tensor")),
      node("last", "tensor", { layer: "last" }),
    ];
    const along = ["Concat", ...rest, "last"];
    made.edges = [
      ...tensors.flatMap((id) => [
        { source: "tokens", target: id, control: false },
        { source: id, target: "Concat", control: false },
      ]),
      ...along.slice(1).map((target, at) => ({ source: along[at] as string, target, control: false })),
    ];
    return made;
  }

  async function outOfSight(recorded: number, chain = 0, height = 110) {
    const shown = await placed([], branches(recorded, chain));
    const [width, tall] = [900, Math.max(height, neededHeight(shown))];
    const camera = fittingTransform(shown, width, tall, 0.9);
    const hidden = shown.nodes.filter(({ visible, x, y }) => {
      const [left, top] = camera.apply([x, y]);
      return visible.node.layer !== "" && !(left >= 5 && left <= width - 5 && top >= 5 && top <= tall - 5);
    });
    return { hidden: hidden.map(({ label }) => label), scale: camera.k, tall };
  }

  test("in branches below each other, for which the picture is made taller", async () => {
    expect(await outOfSight(0)).toMatchObject({ hidden: [], tall: 110 });
    const three = await outOfSight(3);
    expect(three).toMatchObject({ hidden: [], scale: 0.9 });
    expect(three.tall).toBeGreaterThan(110);
    expect(three.tall).toBeLessThan(140);
    expect((await outOfSight(7)).tall).toBe(170);
  });

  test("at the end of a long graph, of which the last come first", async () => {
    expect((await outOfSight(0, 40)).hidden).toEqual([]);
    expect((await outOfSight(1, 14)).hidden).toEqual([]);
    expect((await outOfSight(1, 100)).hidden).toEqual(["conv0"]);
  });
});

test("panels follow the flow of data, not the order of recording", () => {
  expect(layersInFlowOrder(graph(), ["output", "hidden", "elsewhere"])).toEqual(["hidden", "output", "elsewhere"]);
  expect(layersInFlowOrder(null, ["output", "hidden"])).toEqual(["output", "hidden"]);
});

describe("the first panels", () => {
  const opened = (sizes: Record<string, number>, classes: string[]) =>
    firstLayers(null, snapshot({ classes, layers: Object.entries(sizes).map(([name, n]) => layer(name, n)) }));

  test("are the last hidden layer and the output, logits aside", () => {
    expect(opened({ conv: 9, dense: 5, logits: 3, softmax: 3 }, ["a", "b", "c"])).toEqual(["dense", "softmax"]);
    expect(opened({ softmax: 3, conv: 9, dense: 5 }, ["a", "b", "c"])).toEqual(["softmax", "dense"]);
  });

  test("know an output of one neuron for two classes", () => {
    expect(opened({ first: 64, second: 32, sigmoid: 1 }, ["no", "yes"])).toEqual(["second", "sigmoid"]);
    expect(opened({ first: 64, gate: 1 }, ["a", "b", "c"])).toEqual(["gate"]);
  });

  test("are the last layer where none is an output, and the only one where there is one", () => {
    expect(opened({ conv: 9, dense: 5 }, ["a", "b", "c"])).toEqual(["dense"]);
    expect(opened({ only: 3 }, ["a", "b", "c"])).toEqual(["only"]);
  });
});

test("a layer's neighbours are the operators that make and use its tensor", () => {
  expect(neighbours(graph(), "hidden").map(({ id }) => id)).toEqual(["Relu", "hidden", "Softmax"]);
});

test("unknown axes read as question marks", () => {
  expect(shapeText([-1, 37, 128], true)).toBe("any × 37 × 128");
  expect(shapeText([], false)).toBe("unknown shape");
});

describe("finding a node", () => {
  const index = indexGraph(graph());
  const names = (text: string) => findNodes(index, text).map((found) => found.id);

  test("looks at names and kinds of operators, recorded layers first", () => {
    expect(names("Relu")).toEqual(["Relu"]);
    expect(names("U")).toEqual(["output", "MatMul", "sum", "Relu"]);
    expect(names(" ")).toEqual([]);
    expect(names("nothing of the kind")).toEqual([]);
  });

  test("opens the groups around it, and shows a parameter's operator", () => {
    const kernel = index.graph.nodes.find((candidate) => candidate.id === "kernel") as GraphNode;
    expect([...openTowards(index, new Set(["other/"]), kernel)]).toEqual(["other/", "dense/"]);
    expect(shownFor(index, kernel).id).toBe("MatMul");
  });
});
