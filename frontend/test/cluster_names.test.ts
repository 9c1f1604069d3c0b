/** Names of classes stand at their clusters, on as few dots as can be, and never upon each other. */

import { describe, expect, test } from "vitest";
import { type ClusterName, NAME_HEIGHT, placeNames } from "../src/draw/cluster_names";
import { markBoxes } from "../src/draw/marks";

const SIZE = { width: 240, height: 200, origin: { x: 0, y: 0 } };

/** Dots of a class in a disc, on a spiral. */
const disc = (x: number, y: number, radius: number, count: number): number[] =>
  Array.from({ length: count }, (_, at) => {
    const [away, turn] = [radius * Math.sqrt(at / count), 2.4 * at];
    return [x + away * Math.cos(turn), y + away * Math.sin(turn)];
  }).flat();

const clusters = (...dots: number[][]) => ({
  positions: Float32Array.from(dots.flat()),
  codes: dots.flatMap((own, label) => own.filter((_, at) => at % 2 === 0).map(() => label)),
  widths: dots.map(() => 40),
  ...SIZE,
});

const covers = ({ left, top, width }: ClusterName, positions: Float32Array): number =>
  positions.reduce(
    (count, x, at) =>
      at % 2 === 0 &&
      x >= left &&
      x <= left + width &&
      (positions[at + 1] ?? 0) >= top &&
      (positions[at + 1] ?? 0) <= top + NAME_HEIGHT
        ? count + 1
        : count,
    0,
  );

describe("names of classes", () => {
  test("stand beside their clusters and cover no dot where there is room", () => {
    const drawn = clusters(disc(60, 60, 20, 80), disc(180, 140, 25, 60));
    const names = placeNames(drawn);
    expect(names.map(({ label }) => label)).toEqual([0, 1]);
    for (const name of names) expect(covers(name, drawn.positions)).toBe(0);
    const [first, second] = names;
    expect(Math.hypot((first?.left ?? 0) + 20 - 60, (first?.top ?? 0) + 8 - 60)).toBeLessThan(60);
    expect(Math.hypot((second?.left ?? 0) + 20 - 180, (second?.top ?? 0) + 8 - 140)).toBeLessThan(65);
  });

  test("stand where most of a class is, not where its strays are", () => {
    const [name] = placeNames(clusters([...disc(50, 150, 12, 60), ...disc(200, 30, 30, 20)]));
    expect(Math.abs((name?.left ?? 0) + 20 - 50)).toBeLessThan(60);
    expect(name?.top).toBeGreaterThan(90);
  });

  test("never touch each other or the edge, and the smaller class gives way", () => {
    const dots = Array.from({ length: 8 }, (_, at) => disc(120 + at, 100, 10, 40 - at));
    const names = placeNames(clusters(...dots));
    expect(names.length).toBeGreaterThan(2);
    for (const one of names) {
      expect(one.left).toBeGreaterThanOrEqual(0);
      expect(one.left + one.width).toBeLessThanOrEqual(SIZE.width);
      for (const other of names) {
        if (one === other) continue;
        const apart =
          one.left + one.width <= other.left ||
          other.left + other.width <= one.left ||
          one.top + NAME_HEIGHT <= other.top ||
          other.top + NAME_HEIGHT <= one.top;
        expect(apart).toBe(true);
      }
    }
    const small = { ...clusters(disc(20, 10, 4, 30), disc(22, 10, 4, 20)), width: 50, height: 24 };
    expect(placeNames(small).map(({ label }) => label)).toEqual([0]);
  });

  test("are the same for the same dots, go with them, and are those of what is in sight", () => {
    const drawn = clusters(disc(90, 80, 20, 80), disc(150, 120, 25, 60));
    const names = placeNames(drawn);
    expect(placeNames(drawn)).toEqual(names);
    const moved = drawn.positions.map((place, at) => place + (at % 2 === 0 ? 7 : 5));
    const after = placeNames({ ...drawn, positions: moved, origin: { x: 7, y: 5 } });
    expect(after.map(({ left, top }) => [left - 7, top - 5])).toEqual(names.map(({ left, top }) => [left, top]));
    const gone = drawn.positions.map((place) => place - 125);
    expect(placeNames({ ...drawn, positions: gone }).map(({ label }) => label)).toEqual([1]);
  });

  test("leave out classes without a width or a place", () => {
    const drawn = clusters(disc(60, 60, 20, 10), [Number.NaN, Number.NaN]);
    expect(placeNames({ ...drawn, widths: [0, 40] })).toEqual([]);
  });
});

test("a name covers neither a pinned instance nor its label", () => {
  const cluster = clusters(disc(120, 100, 12, 40));
  const radius = 6;
  const widthOf = (text: string) => 6 * text.length;
  const [free] = placeNames(cluster);
  const at = { x: (free?.left ?? 0) + 4, y: (free?.top ?? 0) + NAME_HEIGHT / 2, label: "#121", colour: "", radius };
  const kept = markBoxes([at], SIZE.width, SIZE.height, widthOf);
  expect(kept).toHaveLength(2);
  const [name] = placeNames({ ...cluster, kept });
  expect(name).toBeDefined();
  expect(name).not.toEqual(free);
  const { left = 0, top = 0, width = 0 } = name ?? {};
  for (const box of kept) {
    expect(left >= box.right || left + width <= box.left || top >= box.bottom || top + NAME_HEIGHT <= box.top).toBe(
      true,
    );
  }
});
