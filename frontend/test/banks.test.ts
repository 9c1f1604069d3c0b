import { describe, expect, test } from "vitest";
import { layoutMatrix, type MatrixPlace } from "../src/draw/matrix_layout";
import { columnPanel, panelNeed, placeProjection } from "../src/draw/panel_layout";

const SEVEN = Array.from({ length: 7 }, () => "class");
const place = (width: number, height: number, alone = false): MatrixPlace => ({ width, height, bankHead: 24, alone });

describe("a matrix", () => {
  test("wraps into the banks that make its circles largest", () => {
    const { banks, columns, rows, stride, height } = layoutMatrix(128, SEVEN, place(560, 300), 0);
    expect(banks.map(({ first, visible }) => [first, visible])).toEqual([
      [0, 64],
      [64, 64],
    ]);
    expect(columns).toMatchObject({ first: 0, visible: 128, pitch: 560 / 64 });
    expect(rows.rowHeight).toBe(16);
    expect(stride).toBe(rows.height + 4 + rows.rowHeight + 24);
    expect(height).toBeLessThanOrEqual(300);
    expect(layoutMatrix(128, SEVEN, place(560, 500), 0).banks).toHaveLength(3);
  });

  test("stands in one line where that is as good, and its circles have their limits", () => {
    const { banks, columns } = layoutMatrix(20, SEVEN, place(560, 900), 0);
    expect(banks).toHaveLength(1);
    expect(columns).toMatchObject({ pitch: 28, rowHeight: 24, radius: 0.43 * 24 });
    expect(layoutMatrix(20, SEVEN, place(560, 900, true), 0).columns).toMatchObject({ pitch: 28, rowHeight: 26 });
  });

  test("of few neurons is as wide as its place, as long as its columns are not much farther apart than its rows", () => {
    expect(layoutMatrix(32, SEVEN, place(960, 300), 0).columns).toMatchObject({ pitch: 30, visible: 32 });
    expect(layoutMatrix(18, SEVEN, place(960, 300), 0).columns).toMatchObject({ pitch: 1.6 * 24, rowHeight: 24 });
  });

  test("whose neurons are scrolled has rows as tall as its place allows", () => {
    const { banks, columns, height } = layoutMatrix(300, SEVEN, place(500, 160), 0);
    expect(banks).toHaveLength(1);
    expect(columns).toMatchObject({ rowHeight: 19, pitch: 8, visible: 62 });
    expect(height).toBe(156);
    expect(layoutMatrix(2000, SEVEN, place(500, 200), 0).columns.rowHeight).toBe(20);
  });

  test("never has rows below 14 pixels in several banks", () => {
    for (let height = 100; height < 900; height += 7) {
      const { banks, rows, height: whole } = layoutMatrix(300, SEVEN, place(560, height), 0);
      if (banks.length > 1) expect(rows.rowHeight).toBeGreaterThanOrEqual(14);
      if (banks.length > 1) expect(whole).toBeLessThanOrEqual(height);
    }
  });

  test("of more rows than the height holds is one bank that is scrolled", () => {
    const many = Array.from({ length: 100 }, () => "class");
    const { banks, rows } = layoutMatrix(4096, many, place(560, 300), 100);
    expect(banks).toHaveLength(1);
    expect(rows.height).toBe(1400);
    expect(banks[0]).toMatchObject({ first: 100, visible: 70, pitch: 8 });
  });

  test("scrolls neurons sideways only where no number of banks keeps them legible", () => {
    const { banks, columns } = layoutMatrix(1000, SEVEN, place(560, 300), 990);
    expect(banks.map(({ first, visible }) => [first, visible])).toEqual([
      [860, 70],
      [930, 70],
    ]);
    expect(columns).toMatchObject({ first: 860, visible: 140, total: 1000, rowHeight: 16 });
  });

  test("shown alone has every neuron up to 1,024, and none drawn closer than before", () => {
    for (const total of [32, 64, 128, 300, 512, 1024]) {
      const before = layoutMatrix(total, SEVEN, place(420, 160), 0);
      const alone = layoutMatrix(total, SEVEN, place(560, 640, true), 0);
      expect(alone.columns.visible).toBe(total);
      expect(alone.banks.reduce((sum, { visible }) => sum + visible, 0)).toBe(total);
      expect(alone.columns.pitch).toBeGreaterThanOrEqual(before.columns.pitch);
      expect(alone.columns.radius).toBeGreaterThanOrEqual(before.columns.radius);
    }
  });

  test("of few neurons prints them, in rows of up to 28 pixels", () => {
    const { banks, columns } = layoutMatrix(6, SEVEN, place(560, 600), 0);
    expect(banks).toHaveLength(1);
    expect(columns).toMatchObject({ printed: true, rowHeight: 28, pitch: 560 / 12 });
  });
});

describe("panels", () => {
  const hidden = { neurons: 128, rows: 7, gaps: 1, predictions: 0, alone: false };
  const output = { neurons: 6, rows: 7, gaps: 1, predictions: 6, alone: false };

  test("share the height by what they need: a hidden layer of two banks and its output 61 : 39", () => {
    const [first, second] = [panelNeed(hidden, 560), panelNeed(output, 560)];
    expect(first.share / (first.share + second.share)).toBeCloseTo(0.61, 1);
    expect(first.least + second.least).toBeLessThan(400);
    const [wide, table] = [panelNeed(hidden, 900), panelNeed(output, 900)];
    expect(wide.share / (wide.share + table.share)).toBeCloseTo(0.61, 1);
    expect(panelNeed({ ...hidden, neurons: 32 }, 900).share).toBe(panelNeed(output, 900).share);
  });

  test("three are held by what a window of 800 pixels leaves, two of many rows; three of these scroll with the page", () => {
    expect(3 * panelNeed(hidden, 303).least + 16).toBeLessThanOrEqual(470);
    expect(panelNeed({ ...hidden, rows: 2 }, 303).least).toBeLessThan(panelNeed(hidden, 303).least);
    const many = panelNeed({ ...hidden, rows: 78 }, 303);
    expect(2 * many.least + 8).toBeLessThanOrEqual(470);
    expect(3 * many.least + 16).toBeGreaterThan(470);
    expect(many.least).toBeLessThan(many.wanted);
    expect(panelNeed(hidden, 303).wanted).toBe(36 + 41 + 5 + 4 + 8 * 13);
  });

  test("in a page of one column are as tall as banks of about 32 neurons and a picture below them", () => {
    const { height, picture } = columnPanel(hidden, 704);
    expect(picture).toBe(37 + Math.round(0.55 * 704));
    const matrix = height - picture - 36;
    const { banks, rows } = layoutMatrix(128, SEVEN, place(440, matrix - 5 - 26), 0);
    expect(banks.map(({ visible }) => visible)).toEqual([32, 32, 32, 32]);
    expect(rows.rowHeight).toBeGreaterThanOrEqual(14);
    expect(columnPanel(output, 704).height - columnPanel(output, 704).picture).toBeLessThan(250);
    expect(columnPanel({ ...hidden, neurons: 100_000 }, 704).height).toBeLessThan(700);
  });

  test("have a square beside the matrix, at most 43 % of their width", () => {
    expect(placeProjection(hidden, 1092, 330)).toEqual({ below: false, width: 330 - 37 + 20, height: 330 });
    expect(placeProjection(hidden, 1092, 720).width).toBe(Math.floor(0.43 * 1092));
  });

  test("leave an output layer the room of its table", () => {
    const digits = { neurons: 10, rows: 11, gaps: 1, predictions: 10, alone: false };
    expect(placeProjection(digits, 1092, 400).width).toBe(226);
    expect(placeProjection(digits, 1200, 400).width).toBe(1200 - 250 - 380 - 254);
    expect(placeProjection(digits, 1500, 400).width).toBe(383);
  });

  test("that print their values have it as wide as other panels, and a strip of one neuron wider", () => {
    expect(placeProjection(output, 1600, 300).width).toBe(283);
    expect(placeProjection(output, 1600, 300, 460).width).toBe(460);
    expect(placeProjection(output, 1600, 300, 900).width).toBe(688);
    expect(placeProjection(output, 1092, 300, 460).width).toBe(1092 - 250 - 228 - 158);
    expect(placeProjection({ ...output, neurons: 1, predictions: 0 }, 1092, 300).width).toBe(546);
    expect(placeProjection(hidden, 1092, 330, 900).width).toBe(330 - 37 + 20);
  });

  test("taller than wide have it below", () => {
    expect(placeProjection(hidden, 500, 800)).toMatchObject({ below: true, width: 500 });
  });
});
