/** Path of a graph: layers in the order of the data, and what stands between them. */

import { describe, expect, test } from "vitest";
import type { GraphNode } from "../src/contract/activis";
import { pathStops } from "../src/draw/graph_path";
import { besideText } from "../src/views/graph/path";
import { graph, node } from "./samples";

const chain = (...ids: string[]) =>
  ids.slice(1).map((target, at) => ({ source: ids[at] ?? "", target, control: false }));

/** Three branches, a concatenation, a hidden layer and an output, as the questions' network has them; a loss beside. */
function network() {
  const named = (name: string, kind: string, more: Partial<GraphNode> = {}) => node(name, kind, { name, ...more });
  const branches = ["conv5", "conv3", "conv4"];
  return {
    ...graph(),
    nodes: [
      named("tokens", "tensor"),
      named("embedding", "group"),
      ...branches.map((name) => named(name, "group")),
      named("ConcatV2", "operator"),
      named("concat:0", "tensor", { layer: "concat" }),
      named("dense", "group"),
      named("hidden", "group"),
      named("hidden/Relu", "operator", { parent: "hidden" }),
      named("hidden:0", "tensor", { layer: "hidden" }),
      named("loss", "group"),
    ],
    edges: [
      ...chain("tokens", "embedding"),
      ...branches.flatMap((name) => chain("embedding", name, "ConcatV2")),
      ...chain("ConcatV2", "concat:0", "dense", "hidden/Relu", "hidden:0", "loss"),
    ],
  };
}

const told = (stops: ReturnType<typeof pathStops>) => stops.map(({ layer, names }) => layer || names);

describe("the path of a graph", () => {
  test("has its layers in order, and groups and inputs between them", () => {
    expect(told(pathStops(network(), ["hidden", "concat"]))).toEqual([
      ["tokens"],
      ["embedding"],
      ["conv3", "conv4", "conv5"],
      "concat",
      ["dense"],
      "hidden",
    ]);
  });

  test("ends with the layers that the graph lacks, and is these without a graph", () => {
    expect(told(pathStops(network(), ["hidden", "other"])).slice(-2)).toEqual(["hidden", "other"]);
    expect(told(pathStops(null, ["b", "a"]))).toEqual(["b", "a"]);
  });

  test("leaves out the middle of a long way", () => {
    const ids = ["image", "one", "two", "three", "four", "out"];
    const long = {
      ...graph(),
      nodes: ids.map((id) => (id === "out" ? node(id, "tensor", { layer: id }) : node(id, "group", { name: id }))),
      edges: chain(...ids),
    };
    expect(told(pathStops(long, ["out"]))).toEqual([["image"], ["one", "two", "three"], ["four"], "out"]);
  });
});

test("what stands side by side shares its name", () => {
  expect(besideText(["conv3", "conv4", "conv5"])).toBe("conv3, 4, 5");
  expect(besideText(["left", "right"])).toBe("left, right");
  expect(besideText(["a", "b", "c", "d"])).toBe("…");
});
