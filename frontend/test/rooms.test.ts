import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { describe, expect, test } from "vitest";

const SOURCE = join(import.meta.dirname, "../src");
const GENERATED = "contract/activis.ts";

/** Which rooms each room may import from; a view is a room of its own and may use the widgets. */
const MAY_IMPORT: Record<string, string[]> = {
  contract: [],
  draw: ["contract"],
  state: ["contract"],
  "views/widgets": ["contract", "draw", "state"],
  views: ["contract", "draw", "state", "views/widgets"],
  app: ["contract", "draw", "state", "views", "views/widgets"],
};

const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((file) => /\.tsx?$/.test(file));

function roomOf(file: string): { room: string; view: string } {
  const [first = "", second = ""] = file.split("/");
  if (!file.includes("/")) return { room: "app", view: "" };
  if (first !== "views") return { room: first, view: "" };
  return second === "widgets" ? { room: "views/widgets", view: second } : { room: "views", view: second };
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(SOURCE, file), "utf8");
  return [...text.matchAll(/from "(\.[^"]+)"/g)].map(([, path = ""]) =>
    relative(SOURCE, normalize(join(SOURCE, dirname(file), path))),
  );
}

describe.each(files)("%s", (file) => {
  test("imports only from the rooms below it", () => {
    const own = roomOf(file);
    for (const imported of importsOf(file)) {
      const other = roomOf(imported);
      const sameRoom = own.room === other.room && own.view === other.view;
      expect(sameRoom || MAY_IMPORT[own.room]?.includes(other.room), `${file} imports ${imported}`).toBe(true);
    }
  });

  test.skipIf(file === GENERATED)("has at most 400 lines", () => {
    expect(readFileSync(join(SOURCE, file), "utf8").split("\n").length).toBeLessThanOrEqual(400);
  });
});
