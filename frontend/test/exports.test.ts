import { describe, expect, test } from "vitest";
import { newPath } from "../src/draw/paths";
import { SvgContext } from "../src/draw/svg_context";
import {
  attributeValue,
  formatCsv,
  formatJson,
  instanceRecords,
  recordTable,
  shortestFloat,
} from "../src/store/tables";
import { instances, snapshot } from "./samples";

describe("CSV", () => {
  test("quotes commas, quotes and line ends", () => {
    expect(formatCsv([["a,b", 'say "no"', "two\nlines", "plain"]])).toBe('"a,b","say ""no""","two\nlines",plain\r\n');
  });

  test("holds no text that a spreadsheet would compute, and leaves numbers as they are", () => {
    expect(formatCsv([["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", -1, null, true]])).toBe(
      "'=1+1,'+1,'-1,'@SUM(A1),'\t=1,-1,,true\r\n",
    );
  });

  test("gives every float32 back in the fewest digits", () => {
    const values = Float32Array.of(0.1, 1 / 3, 1e-20, 16_777_217, -2.5, 3.4028234e38);
    for (const value of values) expect(Math.fround(shortestFloat(value) ?? Number.NaN)).toBe(value);
    expect(shortestFloat(values[0] ?? 0)).toBe(0.1);
    expect(shortestFloat(Number.NaN)).toBeNull();
  });
});

describe("instances as records", () => {
  const column = { numbers: [], booleans: [], texts: [], codes: [], categories: [], present: [] };
  const animals = instances({
    attributes: [
      { ...column, name: "age", type: "number", numbers: [3, 0, 5], present: [true, false, true] },
      { ...column, name: "topic", type: "category", codes: [0, 1, -1], categories: ["sea", "land"] },
      { ...column, name: "photo", type: "image" },
    ],
  });

  test("have names for classes, no pictures, and nothing where a value is missing", () => {
    expect(instanceRecords(snapshot(), animals, [1])).toEqual([
      {
        id: "b",
        index: 1,
        label: "cat",
        predicted: "dog",
        score: 0.6,
        always: false,
        example: false,
        attributes: { age: null, topic: "land" },
      },
    ]);
    expect(animals.attributes.slice(0, 2).map((one) => attributeValue(one, 2))).toEqual([5, null]);
  });

  test("keep every digit, infinity and times", () => {
    const largest = Number.MAX_VALUE;
    const exact = instances({
      attributes: [
        { ...column, name: "wide", type: "number", numbers: [-1.2e18, 3, 0], texts: ["-1267890123456789012", "", ""] },
        { ...column, name: "huge", type: "number", numbers: [largest, -largest, 1], texts: ["inf", "-inf", ""] },
        { ...column, name: "when", type: "time", numbers: [0, 1, 2], texts: ["1970-01-01", "2024-01-02", ""] },
      ],
    });
    const records = instanceRecords(snapshot(), exact, [0, 1]);
    expect(formatCsv(recordTable(records)).split("\r\n")[1]).toMatch(/,-1267890123456789012,inf,1970-01-01$/);
    expect(formatCsv(recordTable(records)).split("\r\n")[2]).toMatch(/,3,-inf,2024-01-02$/);
    expect(JSON.parse(formatJson(records)).map((record: { attributes: unknown }) => record.attributes)).toEqual([
      { wide: "-1267890123456789012", huge: "inf", when: "1970-01-01" },
      { wide: 3, huge: "-inf", when: "2024-01-02" },
    ]);
  });

  test("become a table with a column per attribute", () => {
    expect(recordTable(instanceRecords(snapshot(), animals, [0]))).toEqual([
      ["id", "index", "label", "predicted", "score", "always", "example", "age", "topic"],
      ["a", 0, "cat", "cat", 0.9, false, false, 3, "sea"],
    ]);
  });
});

describe("a drawing as SVG", () => {
  const create = () => SvgContext.create(() => ({ width: 7 }) as TextMetrics);
  const parse = (text: string) => new DOMParser().parseFromString(text, "image/svg+xml").documentElement;

  test("has the shapes with their colours, in the place that was moved to", () => {
    const context = create();
    context.save();
    context.translate(10, 20);
    context.fillStyle = "#ff0000";
    context.fillRect(1, 2, 3, 4);
    context.restore();
    const path = newPath(context);
    path.arc(5, 5, 2, 0, 2 * Math.PI);
    context.fill(path);
    const svg = parse(context.document(100, 50));
    const rect = svg.querySelector("rect");
    expect(["x", "y", "width", "height", "fill"].map((name) => rect?.getAttribute(name))).toEqual([
      "1",
      "2",
      "3",
      "4",
      "#ff0000",
    ]);
    expect(rect?.parentElement?.getAttribute("transform")).toBe("translate(10 20)");
    expect(svg.querySelector("g + path")?.getAttribute("fill")).toBe("#000000");
    expect(svg.getAttribute("viewBox")).toBe("0 0 100 50");
  });

  test("keeps text as text, whatever is in it", () => {
    const context = create();
    context.font = "500 10px Roboto";
    context.textAlign = "center";
    context.fillText('<img src=x> & "more"', 1, 2);
    const svg = parse(context.document(10, 10));
    expect(svg.querySelector("img")).toBeNull();
    expect(svg.querySelector("text")?.textContent).toBe('<img src=x> & "more"');
    expect(svg.querySelector("text")?.getAttribute("text-anchor")).toBe("middle");
    expect(context.measureText("x").width).toBe(7);
  });

  test("refuses a path that it cannot write, and says how to make one", () => {
    const context = create();
    expect(() => context.fill({} as Path2D)).toThrow("newPath(context)");
  });
});
