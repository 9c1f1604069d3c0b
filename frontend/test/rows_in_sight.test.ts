import { describe, expect, test } from "vitest";
import { groupEnds, layoutHeader } from "../src/draw/matrix_header";
import { layoutMatrix, layoutRows, scrollToRow, viewRows } from "../src/draw/matrix_layout";
import { cellAt, moveFocus, positionOf } from "../src/views/panel/matrix_keyboard";

/** Two classes, ten subsets, one pinned instance: 179 high. */
const groups = ["class", "class", ...Array.from({ length: 10 }, () => "subset"), "instance"];
const layout = layoutRows(groups);
const HEIGHT = 100;
const inSight = (scrollTop: number) =>
  viewRows(layout, groups, scrollTop, HEIGHT).tops.flatMap((top, position) => (Number.isFinite(top) ? [position] : []));

describe("rows of a matrix that is taller than its place", () => {
  test("all stand where they are while there is room", () => {
    expect(viewRows(layout, groups, 0, 500)).toEqual({ ...layout });
    expect(layout.height).toBe(179);
  });

  test("keep the classes at the top and the pinned instance at the bottom", () => {
    expect(inSight(0)).toEqual([0, 1, 2, 3, 4, 5, 12]);
    for (const scrollTop of [0, 20, 79]) {
      const { tops } = viewRows(layout, groups, scrollTop, HEIGHT);
      expect([tops[0], tops[1], tops[12]]).toEqual([0, 13, 87]);
    }
  });

  test("scroll by whole rows, down to the last one", () => {
    expect(inSight(13)).toEqual([0, 1, 3, 4, 5, 6, 12]);
    expect(inSight(79)).toEqual([0, 1, 8, 9, 10, 11, 12]);
    const { tops } = viewRows(layout, groups, 79, HEIGHT);
    expect([tops[8], tops[9], tops[10], tops[11]]).toEqual([31, 44, 57, 70]);
  });

  test("scroll all together where a group is too large to stay", () => {
    const classes = Array.from({ length: 20 }, () => "class");
    const { tops } = viewRows(layoutRows(classes), classes, 26, HEIGHT);
    expect(tops.findIndex(Number.isFinite)).toBe(2);
    expect(tops[2]).toBe(0);
  });

  test("are scrolled into sight only where they are out of it", () => {
    expect(scrollToRow(layout, groups, 3, 0, HEIGHT)).toBe(0);
    expect(scrollToRow(layout, groups, 12, 0, HEIGHT)).toBe(0);
    for (const position of [2, 5, 8, 11]) {
      for (const from of [0, 79])
        expect(inSight(scrollToRow(layout, groups, position, from, HEIGHT))).toContain(position);
    }
  });
});

describe("above a matrix", () => {
  const layoutColumns = (total: number, width: number) =>
    layoutMatrix(total, ["class"], { width, height: 40, bankHead: 24, alone: false }, 0).columns;
  const rows = ["class", "class", "subset"];

  test("nothing more stands where all neurons fit", () => {
    expect(layoutHeader(layoutColumns(100, 772), rows)).toMatchObject({ overview: "none", height: 26 });
  });

  test("a strip shows the neurons that do not fit, a map those of a wide layer", () => {
    expect(layoutHeader(layoutColumns(300, 772), rows)).toMatchObject({ overview: "strip", height: 36 });
    const map = layoutHeader(layoutColumns(4096, 772), rows);
    expect(map).toMatchObject({ overview: "map", overviewTop: 18, overviewHeight: 14, strongestTop: 42, height: 50 });
  });

  test("a map never takes more than its share of the panel", () => {
    const many = Array.from({ length: 250 }, () => "class");
    expect(layoutHeader(layoutColumns(4096, 772), many).overviewHeight).toBe(56);
  });

  test("groups end before another begins", () => {
    expect([...groupEnds(rows)]).toEqual([1]);
  });
});

describe("a key in a matrix", () => {
  const extent = { rows: 3, columns: 100, page: 20 };
  const from = { row: 1, column: 50 };
  const press = (key: string, ctrlKey = false) => moveFocus(from, { key, ctrlKey, metaKey: false }, extent);

  test("moves to the neighbour, the ends and by a page of neurons", () => {
    expect(press("ArrowUp")).toEqual({ row: 0, column: 50 });
    expect(press("ArrowRight")).toEqual({ row: 1, column: 51 });
    expect(press("Home")).toEqual({ row: 1, column: 0 });
    expect(press("End", true)).toEqual({ row: 2, column: 99 });
    expect(press("PageDown")).toEqual({ row: 1, column: 70 });
    expect(press("PageUp")).toEqual({ row: 1, column: 30 });
  });

  test("stops at the edges, and others lead nowhere", () => {
    expect(moveFocus({ row: 2, column: 95 }, { key: "PageDown", ctrlKey: false, metaKey: false }, extent)).toEqual({
      row: 2,
      column: 99,
    });
    expect(press("x")).toBeNull();
  });
});

describe("the focus in a matrix", () => {
  const before = {
    rows: [{ key: "class:a" }, { key: "class:b" }, { key: "instance:1" }],
    order: new Int32Array([7, 3, 5]),
  };
  const focused = cellAt(before, { row: 1, column: 2 });

  test("is a neuron of a row", () => {
    expect(focused).toMatchObject({ row: "class:b", neuron: 5 });
    expect(positionOf(before, focused)).toEqual({ row: 1, column: 2 });
  });

  test("goes with them where rows and columns change places", () => {
    const rows = [{ key: "class:b" }, { key: "class:a" }];
    expect(positionOf({ rows, order: new Int32Array([5, 7, 3]) }, focused)).toEqual({ row: 0, column: 0 });
  });

  test("stays where it was as near as can be when they are gone", () => {
    expect(positionOf({ rows: [{ key: "class:a" }], order: new Int32Array([7, 3]) }, focused)).toEqual({
      row: 0,
      column: 1,
    });
    expect(positionOf({ ...before, order: null }, focused)).toEqual({ row: 1, column: 0 });
  });
});
