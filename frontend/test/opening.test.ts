/** What is asked for when the tab opens, and what the first picture does not wait for. */

import { describe, expect, test } from "vitest";
import type { Client } from "../src/contract/client";
import { createClient, open, settled } from "./opened_store";
import { layer, runEntry, runList, snapshot } from "./samples";

/** A client that notes what is asked of it, as `route layer`, and answers some routes when it is told to. */
function noting(held: (keyof Client)[]) {
  const asked: string[] = [];
  const waiting = new Map<string, () => void>();
  const client = createClient();
  const noted = Object.fromEntries(
    Object.entries(client).map(([route, answer]) => [
      route,
      (...given: unknown[]) => {
        const names = given.filter((one) => typeof one === "string");
        asked.push([route, ...names].join(" "));
        const answered = () => (answer as (...given: unknown[]) => unknown)(...given);
        if (!held.includes(route as keyof Client)) return answered();
        return new Promise((resolve) => waiting.set(route, () => resolve(answered())));
      },
    ]),
  ) as unknown as Client;
  const release = async (route: keyof Client) => {
    waiting.get(route)?.();
    await settled();
  };
  return { client: noted, asked, release };
}

describe("the tab that opens by itself", () => {
  test("asks for the numbers of its first layers while the graph is on its way, and shows them once, when it is there", async () => {
    const { client, asked, release } = noting(["graph"]);
    const layers = [layer("hidden", 18), layer("last", 18)];
    client.runs = async () => runList([runEntry("cnn/activis", [snapshot({ step: 1, layers })])]);
    const { tab, base } = await open(client);
    expect(asked).toEqual(expect.arrayContaining(["statistics last mean", "projection last"]));
    expect(base.layers.value).toEqual([]);
    expect(tab.opening.value).toBe(true);
    await release("graph");
    expect(base.layers.value.map(({ name }) => name)).toEqual(["last"]);
    expect(tab.opening.value).toBe(false);
    expect(base.layers.value[0]?.mean.state.value.status).toBe("ready");
    expect(asked.filter((one) => one === "statistics last mean")).toHaveLength(1);
  });

  test("opens the layer of the neuron whose card a link opens", async () => {
    const layers = [layer("hidden", 18), layer("last", 18)];
    const client = createClient();
    client.runs = async () => runList([runEntry("cnn/activis", [snapshot({ step: 1, layers })])]);
    const { base } = await open(client, { neuron: "3:hidden" });
    expect(base.layers.value.map(({ name }) => name)).toEqual(["hidden"]);
    const elsewhere = await open(client, { neuron: "3:gone" });
    expect(elsewhere.base.layers.value).toEqual([]);
  });

  test("asks for what is looked at later after the first projection, or its failure", async () => {
    const { client, asked, release } = noting(["projection"]);
    await open(client, { layers: "hidden" });
    const later = ["health hidden", "statistics hidden active", "statistics hidden nonfinite"];
    expect(asked).toEqual(expect.arrayContaining(["statistics hidden mean", "activations hidden"]));
    expect(asked.filter((one) => later.includes(one))).toEqual([]);
    await release("projection");
    expect(asked).toEqual(expect.arrayContaining(later));
    const failing = noting([]);
    failing.client.projection = async () => {
      throw new Error("no projection");
    };
    await open(failing.client, { layers: "hidden" });
    expect(failing.asked).toEqual(expect.arrayContaining(later));
  });
});
