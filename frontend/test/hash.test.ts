import { describe, expect, test } from "vitest";
import { formatHash, joinList, parseHash, splitList } from "../src/store/address";

describe("the hash of TensorBoard's page", () => {
  test("gives our values and no others", () => {
    expect(parseHash("#activis&p.activis.run=cnn-a%2Factivis&p.hparams.x=1&p.activis.step=3")).toEqual({
      run: "cnn-a/activis",
      step: "3",
    });
  });

  test("keeps what belongs to others when ours is written", () => {
    const hash = formatHash("#activis&p.hparams.x=1&p.activis.run=old", { run: "a&b=c", sort: "" });
    expect(hash).toBe("#activis&p.hparams.x=1&p.activis.run=a%26b%3Dc");
  });

  test("survives a value that is no valid escape", () => {
    expect(parseHash("#activis&p.activis.run=%E0%A4%A")).toEqual({ run: "%E0%A4%A" });
  });

  test("carries lists whose items hold commas, signs and nothing", () => {
    const items = ["a,b", "<img src=x>", "100 %"];
    expect(splitList(joinList(items))).toEqual(items);
    expect(splitList("")).toEqual([]);
    const values = parseHash(formatHash("#activis", { layers: joinList(items) }));
    expect(splitList(values.layers)).toEqual(items);
  });
});
