import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { describe, expect, test } from "vitest";

const SOURCE = join(import.meta.dirname, "../src");
const GENERATED = ["contract/activis.ts", "contract/language.ts"];

/** Which rooms each room may import from; a view is a room of its own. */
const MAY_IMPORT: Record<string, string[]> = {
  contract: [],
  draw: ["contract"],
  language: ["contract"],
  store: ["contract", "language"],
  ui: ["contract", "draw", "store"],
  views: ["contract", "draw", "language", "store", "ui"],
  app: ["contract", "draw", "store", "ui", "views"],
};

const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((file) => /\.tsx?$/.test(file));

function roomOf(file: string): { room: string; view: string } {
  const [first = "", second = ""] = file.split("/");
  if (!file.includes("/")) return { room: "app", view: "" };
  return { room: first, view: first === "views" ? second : "" };
}

function linesOf(file: string): number {
  return readFileSync(join(SOURCE, file), "utf8").split("\n").length;
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(SOURCE, file), "utf8");
  return [...text.matchAll(/(?:from |import\()"(\.[^"]+)"/g)].map(([, path = ""]) =>
    relative(SOURCE, normalize(join(SOURCE, dirname(file), path))),
  );
}

/** Files of the store that `file` imports, types included, and all that these import. */
function reachable(file: string, known = new Set<string>()): Set<string> {
  for (const imported of importsOf(file).map((path) => `${path}.ts`)) {
    if (roomOf(imported).room !== "store" || known.has(imported)) continue;
    known.add(imported);
    reachable(imported, known);
  }
  return known;
}

test.each(files.filter((file) => roomOf(file).room === "store"))(
  "%s imports nothing that imports it, not even for a type",
  (file) => {
    expect([...reachable(file)]).not.toContain(file);
  },
);

describe.each(files)("%s", (file) => {
  test("imports only from the rooms below it", () => {
    const own = roomOf(file);
    for (const imported of importsOf(file)) {
      const other = roomOf(imported);
      const sameRoom = own.room === other.room && own.view === other.view;
      expect(sameRoom || MAY_IMPORT[own.room]?.includes(other.room), `${file} imports ${imported}`).toBe(true);
    }
  });

  test.skipIf(GENERATED.includes(file))("has at most 500 lines", () => {
    expect(linesOf(file)).toBeLessThanOrEqual(500);
  });
});
