import { expect, test } from "vitest";
import { matchOperators } from "../src/views/compare/strip";
import { graph, node } from "./samples";

const SOURCE = { id: "forward", kind: "forward", label: "forward graph", run: "cnn", nodes: 3 };

/** A graph of operators alone, each `name:type`. */
const operators = (names: string[], kind = "forward") => ({
  ...graph(),
  sources: [{ ...SOURCE, kind }],
  nodes: names.map((name) => {
    const [path = "", operator = ""] = name.split(":");
    return node(path, "operator", { operator });
  }),
});

test("operators match by type and name: numbers of traces and the scope around everything do not count", () => {
  const base = operators(["net_1/hidden_1/MatMul:MatMul", "net_1/hidden_1/Relu:Relu", "net_1/Dropout:Dropout"]);
  const other = operators(["model_3/hidden_4/MatMul:MatMul", "model_3/hidden_4/Relu:Gelu", "model_3/Softmax:Softmax"]);
  expect(matchOperators(base, other)).toEqual({
    matched: 1,
    total: 3,
    lacked: ["hidden/Relu (Relu)", "Dropout (Dropout)"],
    added: ["hidden/Relu (Gelu)", "Softmax (Softmax)"],
  });
});

test("each operator has one partner at most", () => {
  const base = operators(["a/conv_1:Conv2D", "a/conv_2:Conv2D", "b:Relu"]);
  expect(matchOperators(base, operators(["a/conv:Conv2D", "b:Relu"]))?.matched).toBe(2);
  expect(matchOperators(base, base)).toEqual({ matched: 3, total: 3, lacked: [], added: [] });
});

test("what trains and reports is no part of the model", () => {
  const base = operators(["a:Relu", "b:Relu"]);
  const trained = { ...base, nodes: [...base.nodes, node("training/", "group", { auxiliary: true })] };
  trained.nodes.push(node("step", "operator", { operator: "AssignAdd", parent: "training/" }));
  expect(matchOperators(trained, base)?.total).toBe(2);
});

test("a list of layers has no operators to match", () => {
  expect(matchOperators(operators(["a:Relu"]), operators(["a:Relu"], "layers"))).toBeNull();
  expect(matchOperators(operators([]), operators(["a:Relu"]))).toBeNull();
});
