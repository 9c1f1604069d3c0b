import { beforeEach, describe, expect, test, vi } from "vitest";
import { parseHash } from "../src/state/hash";
import { LONGEST_HASH } from "../src/state/kept_states";
import { openParentHash } from "../src/state/parent_hash";

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

  test("does not fill the browser: the oldest of more than twenty is forgotten", () => {
    const { self } = createPage("#activis");
    const hash = openParentHash(self);
    for (let at = 0; at < 25; at++) {
      vi.advanceTimersByTime(2_000);
      hash.write({ run: "a", pinned: `${pinned},${at}` }, "choice");
    }
    expect(globalThis.localStorage.length).toBe(20);
    expect(hash.read().pinned).toBe(`${pinned},24`);
  });
});
