import { describe, expect, test } from "vitest";
import type { GraphNode } from "../src/contract/activis";
import { layoutGraph, shapeText } from "../src/draw/graph_layout";
import { findNodes, groupsOfRecorded, openTowards, shownFor, visibleGraph } from "../src/draw/graph_tree";
import { layersInFlowOrder, neighbours } from "../src/state/graph_order";
import { graph, node } from "./samples";

const edgesOf = (open: string[]) =>
  visibleGraph(graph(), new Set(open)).edges.map((edge) => `${edge.source}>${edge.target}`);

describe("a closed group", () => {
  test("stands for the operators inside it", () => {
    const visible = visibleGraph(graph(), new Set());
    expect(visible.nodes.map(({ node }) => node.id)).toEqual(["tokens", "dense/", "hidden", "Softmax", "output"]);
    expect(visible.nodes[1]?.operators).toBe(2);
    expect(edgesOf([])).toEqual(["tokens>dense/", "dense/>hidden", "hidden>Softmax", "Softmax>output"]);
  });

  test("shows what it holds when it is opened, parameters beside their operator", () => {
    const visible = visibleGraph(graph(), new Set(["dense/"]));
    expect(visible.nodes.map(({ node }) => node.id)).not.toContain("kernel");
    expect(visible.nodes.find(({ node }) => node.id === "MatMul")?.parameters.map(({ id }) => id)).toEqual(["kernel"]);
    expect(edgesOf(["dense/"])).toContain("MatMul>sum");
    expect(edgesOf(["dense/"])).not.toContain("kernel>MatMul");
  });

  test("stays closed unless a recorded tensor is inside, at any depth", () => {
    expect([...groupsOfRecorded(graph())]).toEqual([]);
    const nested = graph();
    nested.nodes.push(node("outer/", "group"), node("outer/inner/", "group", { parent: "outer/" }));
    nested.nodes.push(node("deep", "tensor", { parent: "outer/inner/", layer: "deep" }));
    expect([...groupsOfRecorded(nested)]).toEqual(["outer/", "outer/inner/"]);
  });
});

test("the picture runs from left to right and an open group surrounds what it holds", () => {
  const placed = layoutGraph(visibleGraph(graph(), new Set(["dense/"])));
  const x = (id: string) => placed.nodes.find(({ visible }) => visible.node.id === id)?.x ?? Number.NaN;
  const order = ["tokens", "MatMul", "sum", "Relu", "hidden", "Softmax", "output"].map(x);
  expect(order).toEqual([...order].sort((first, second) => first - second));
  const [group] = placed.groups;
  expect(group?.x).toBeLessThan(x("MatMul"));
  expect((group?.x ?? 0) + (group?.width ?? 0)).toBeGreaterThan(x("Relu"));
});

test("panels follow the flow of data, not the order of recording", () => {
  expect(layersInFlowOrder(graph(), ["output", "hidden", "elsewhere"])).toEqual(["hidden", "output", "elsewhere"]);
  expect(layersInFlowOrder(null, ["output", "hidden"])).toEqual(["output", "hidden"]);
});

test("a layer's neighbours are the operators that make and use its tensor", () => {
  expect(neighbours(graph(), "hidden").map(({ id }) => id)).toEqual(["Relu", "hidden", "Softmax"]);
});

test("unknown axes read as question marks", () => {
  expect(shapeText([-1, 37, 128], true)).toBe("? × 37 × 128");
  expect(shapeText([], false)).toBe("unknown shape");
});

describe("finding a node", () => {
  const names = (text: string) => findNodes(graph(), text).map((found) => found.id);

  test("looks at names and kinds of operators, recorded layers first", () => {
    expect(names("Relu")).toEqual(["Relu"]);
    expect(names("U")).toEqual(["output", "MatMul", "sum", "Relu"]);
    expect(names(" ")).toEqual([]);
    expect(names("nothing of the kind")).toEqual([]);
  });

  test("opens the groups around it, and shows a parameter's operator", () => {
    const kernel = graph().nodes.find((candidate) => candidate.id === "kernel") as GraphNode;
    expect([...openTowards(graph(), new Set(["other/"]), kernel)]).toEqual(["other/", "dense/"]);
    expect(shownFor(graph(), kernel).id).toBe("MatMul");
  });
});
