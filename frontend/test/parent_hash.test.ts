import { beforeEach, describe, expect, test, vi } from "vitest";
import { joinList, LONGEST_HASH, MOST_CHARACTERS, openParentHash, parseHash } from "../src/store/address";

/** A page whose history can be looked at. */
function createPage(hash: string) {
  const entries = [hash];
  const page = {
    location: { hash, href: "" },
    localStorage: globalThis.localStorage,
    history: {
      state: null,
      pushState: (_state: unknown, _title: string, next: string) => {
        entries.push(next);
        page.location.hash = next;
      },
      replaceState: (_state: unknown, _title: string, next: string) => {
        entries[entries.length - 1] = next;
        page.location.hash = next;
      },
    },
    events: new EventTarget(),
    addEventListener: (type: string, listener: EventListener) => page.events.addEventListener(type, listener),
    removeEventListener: (type: string, listener: EventListener) => page.events.removeEventListener(type, listener),
    dispatchEvent: (event: Event) => page.events.dispatchEvent(event),
  };
  return { entries, page, self: { parent: page } as unknown as Window };
}

beforeEach(() => {
  globalThis.localStorage.clear();
  vi.useFakeTimers({ toFake: ["performance", "Date"] });
  return () => vi.useRealTimers();
});

describe("the history of the page", () => {
  test("grows with every choice and not with what follows from one", () => {
    const { entries, self } = createPage("#activis");
    const hash = openParentHash(self);
    hash.write({ run: "a", step: "1" }, "consequence");
    expect(entries).toEqual(["#activis&p.activis.run=a&p.activis.step=1"]);
    hash.write({ run: "a", step: "1", layers: "hidden" }, "choice");
    hash.write({ run: "a", step: "1", layers: "hidden", sort: "natural" }, "choice");
    expect(entries).toHaveLength(3);
  });

  test("folds rapid changes of the same value into one step, slow ones stay apart", () => {
    const { entries, self } = createPage("#activis&p.activis.step=1");
    const hash = openParentHash(self);
    hash.read();
    for (const step of ["2", "3", "4"]) {
      vi.advanceTimersByTime(300);
      hash.write({ step }, "choice");
    }
    expect(entries).toEqual(["#activis&p.activis.step=1", "#activis&p.activis.step=4"]);
    vi.advanceTimersByTime(1_500);
    hash.write({ step: "5" }, "choice");
    expect(entries).toHaveLength(3);
  });

  test("is left alone while another tab of TensorBoard is in front", () => {
    const { entries, self } = createPage("#scalars");
    openParentHash(self).write({ run: "a" }, "choice");
    expect(entries).toEqual(["#scalars"]);
  });

  test("tells the listener of going back, and not of what is written here", () => {
    const { page, self } = createPage("#activis");
    const hash = openParentHash(self);
    const heard: string[] = [];
    hash.listen(() => heard.push(page.location.hash));
    hash.write({ step: "2" }, "choice");
    expect(heard).toEqual([]);
    page.location.hash = "#activis&p.activis.step=1";
    page.dispatchEvent(new Event("hashchange"));
    expect(heard).toEqual(["#activis&p.activis.step=1"]);
  });
});

test("a browser that keeps nothing for the page shows it all the same", () => {
  const { page, self } = createPage("#activis&p.activis.run=a&p.activis.kept=key");
  Object.defineProperty(page, "localStorage", {
    get: () => {
      throw new Error("SecurityError");
    },
  });
  const hash = openParentHash(self);
  expect(hash.read()).toMatchObject({ run: "a" });
  hash.write({ run: "a", filter: "x".repeat(2 * LONGEST_HASH) }, "choice");
  expect(hash.notice.value).toContain("this browser stores nothing");
});

test("halves of characters do not keep the rest from the address", () => {
  const { page, self } = createPage("#activis");
  openParentHash(self).write({ run: "a", filter: "\ud83d", layers: joinList(["\ude00"]) }, "choice");
  expect(parseHash(page.location.hash)).toMatchObject({ run: "a", filter: "\ufffd" });
});

describe("a state too long for a URL", () => {
  const pinned = Array.from({ length: 2_000 }, (_, at) => `instance${at}`).join();

  test("is kept in the browser under a key in the URL, which says so, and comes back whole", () => {
    const { page, self } = createPage("#activis");
    const hash = openParentHash(self);
    hash.write({ run: "a", pinned }, "choice");
    expect(page.location.hash.length).toBeLessThan(LONGEST_HASH);
    expect(parseHash(page.location.hash)).toMatchObject({ run: "a" });
    expect(hash.notice.value).toContain("kept in this browser");
    expect(openParentHash(self).read()).toEqual({ run: "a", pinned });
  });

  test("shows the rest in another browser and says what is missing", () => {
    const { self } = createPage("#activis");
    openParentHash(self).write({ run: "a", pinned }, "choice");
    globalThis.localStorage.clear();
    const elsewhere = openParentHash(self);
    expect(elsewhere.read()).toMatchObject({ run: "a" });
    expect(elsewhere.notice.value).toContain("not in this one");
  });

  test("does not fill the browser: what was used least recently is forgotten", () => {
    const { page, self } = createPage("#activis");
    const hash = openParentHash(self);
    hash.write({ run: "first" }, "choice");
    hash.write({ run: "first", pinned }, "choice");
    const first = page.location.hash;
    globalThis.localStorage.setItem("of somebody else", "x".repeat(2_000_000));
    for (let at = 0; at < 80; at++) {
      vi.advanceTimersByTime(2_000);
      page.location.hash = first;
      expect(openParentHash(self).read().pinned).toBe(pinned);
      vi.advanceTimersByTime(2_000);
      hash.write({ run: "a", pinned: `${pinned},${at}` }, "choice");
    }
    const ours = Object.entries(globalThis.localStorage).filter(([key]) => key.startsWith("activis.state."));
    expect(ours.length).toBeGreaterThan(20);
    expect(ours.reduce((sum, [, text]) => sum + text.length, 0)).toBeLessThanOrEqual(MOST_CHARACTERS);
    expect(globalThis.localStorage.getItem("of somebody else")).toHaveLength(2_000_000);
    expect(hash.read().pinned).toBe(`${pinned},79`);
    page.location.hash = first;
    expect(openParentHash(self).read().pinned).toBe(pinned);
  });

  test("is not kept where it is larger than all that is kept, which is said", () => {
    const { page, self } = createPage("#activis");
    const hash = openParentHash(self);
    hash.write({ run: "a", pinned: "x".repeat(MOST_CHARACTERS) }, "choice");
    expect(page.location.hash).toBe("#activis");
    expect(hash.notice.value).toContain("a reload will lose it");
    expect(globalThis.localStorage).toHaveLength(0);
  });

  test.each(["no JSON", "[1]", '{"pinned": 3}', "null", ""])("that is damaged is not there: %s", (text) => {
    globalThis.localStorage.setItem("activis.state.key", text);
    const { self } = createPage("#activis&p.activis.run=a&p.activis.kept=key");
    const hash = openParentHash(self);
    expect(hash.read()).toMatchObject({ run: "a" });
    expect(hash.notice.value).toContain("not in this one");
  });

  test("of an earlier version is read", () => {
    globalThis.localStorage.setItem("activis.state.key", JSON.stringify({ pinned }));
    const { self } = createPage("#activis&p.activis.run=a&p.activis.kept=key");
    expect(openParentHash(self).read()).toEqual({ run: "a", pinned });
  });
});
