/** Marks of the squares by what is lit: only the squares whose marks change are touched. */

import { signal } from "@preact/signals";
import { render } from "preact";
import { useRef } from "preact/hooks";
import { describe, expect, test } from "vitest";
import type { MatrixRow } from "../src/store/rows";
import type { SnapshotStore } from "../src/store/snapshot";
import { SnapshotContext } from "../src/ui/context";
import { leaveHover } from "../src/ui/lighting";
import { useInstanceMarks } from "../src/views/instances/marked";

function Squares({ count }: { count: number }) {
  const container = useRef<HTMLDivElement>(null);
  useInstanceMarks(container);
  return (
    <div ref={container}>
      {Array.from({ length: count }, (_, row) => (
        <i key={row} data-row={row} />
      ))}
    </div>
  );
}

function open(count: number) {
  const lit = {
    litMask: signal<Uint8Array | null>(null),
    instance: signal(-1),
    rows: signal<readonly MatrixRow[]>([]),
  };
  const root = document.createElement("main");
  const draw = (squares: number) =>
    render(
      <SnapshotContext.Provider value={lit as unknown as SnapshotStore}>
        <Squares count={squares} />
      </SnapshotContext.Provider>,
      root,
    );
  draw(count);
  const marks = () => [...root.querySelectorAll("i")].map((square) => square.className);
  return { ...lit, root, draw, marks };
}

/** How many squares are written to while something happens. */
async function touched(root: Element, act: () => void): Promise<number> {
  const squares = new Set<Node>();
  const watch = new MutationObserver((records) => {
    for (const { target } of records) squares.add(target);
  });
  watch.observe(root, { attributes: true, subtree: true });
  act();
  await new Promise((resolve) => setTimeout(resolve, 20));
  watch.disconnect();
  return squares.size;
}

describe("the squares", () => {
  test("are dim where they are not lit, hovered and pinned where they are", () => {
    const { litMask, instance, rows, marks } = open(3);
    litMask.value = Uint8Array.of(1, 0, 0);
    expect(marks()).toEqual(["", "dim", "dim"]);
    instance.value = 2;
    rows.value = [{ kind: "instance", key: "instance:b", name: "b", id: "b", sampled: 1 }];
    expect(marks()).toEqual(["", "dim pinned", "dim hovered"]);
    litMask.value = null;
    instance.value = -1;
    expect(marks()).toEqual(["", "pinned", ""]);
  });

  test("are touched only where their marks change", async () => {
    const { litMask, root } = open(100);
    const ten = (from: number) => Uint8Array.from({ length: 100 }, (_, row) => Number(row >= from && row < from + 10));
    const set = (mask: Uint8Array | null) => () => {
      litMask.value = mask;
    };
    expect(await touched(root, set(ten(0)))).toBe(90);
    expect(await touched(root, set(ten(5)))).toBe(10);
    expect(await touched(root, set(ten(5)))).toBe(0);
  });

  test("that are drawn later are marked, too", () => {
    const { litMask, draw, marks } = open(1);
    litMask.value = Uint8Array.of(0, 0, 1);
    draw(3);
    expect(marks()).toEqual(["dim", "dim", ""]);
  });
});

describe("leaving", () => {
  const hovering = () => signal<{ source: "label"; row?: MatrixRow } | null>({ source: "label" });
  const frame = () => new Promise(requestAnimationFrame);

  test("ends a hover before the next frame", async () => {
    const hover = hovering();
    leaveHover(hover);
    await frame();
    expect(hover.value).toBeNull();
  });

  test("for something else is one change", async () => {
    const hover = hovering();
    const next = { source: "label" as const };
    const seen: unknown[] = [];
    hover.subscribe((value) => seen.push(value));
    leaveHover(hover);
    hover.value = next;
    await frame();
    expect(hover.value).toBe(next);
    expect(seen).toHaveLength(2);
  });
});
