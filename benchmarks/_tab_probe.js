// Runs in every frame of TensorBoard's page and measures from inside: when things are painted, how long frames take.
// Pointer and wheel events are made here, one in each frame: nothing outside the browser then shares the measurement.
(() => {
  const clock = () => performance.timeOrigin + performance.now();
  const frame = () => new Promise(requestAnimationFrame);
  const probe = { longTasks: [] };
  window.probe = probe;

  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) probe.longTasks.push({ startTime, duration });
  }).observe({ type: "longtask", buffered: true });

  async function reached(condition) {
    while (!condition()) await frame();
    await frame();
    return clock();
  }

  // Milliseconds of the long tasks that ended after a moment.
  probe.tasksAfter = (moment) =>
    probe.longTasks
      .filter(({ startTime, duration }) => performance.timeOrigin + startTime + duration > moment)
      .map(({ duration }) => duration);

  const find = (testId) => document.querySelector(`[data-testid="${testId}"]`);
  const complete = () => {
    const state = window.__activis?.state();
    return (
      state?.layers.length > 0 &&
      state.layers.every((layer) => state.columns[layer].length > 0 && state.projection[layer]?.points > 0)
    );
  };

  if (window === top) probe.listed = reached(() => document.querySelector('[role="tab"]'));
  else if (location.href.includes("name=activis")) probe.painted = reached(complete);

  // Calls `act` in each of `count` frames; returns the milliseconds from each frame to the next.
  probe.frames = async (count, act) => {
    const times = [];
    for (let number = 0; number <= count; number++) {
      times.push(await frame());
      if (number < count) act(number);
    }
    return times.slice(1).map((time, at) => time - times[at]);
  };

  const send = (kind, x, y, options) =>
    document.elementFromPoint(x, y)?.dispatchEvent(
      new kind(options.type, { bubbles: true, cancelable: true, view: window, clientX: x, clientY: y, ...options }),
    );

  // Moves the pointer on a curve that passes nearly everywhere.
  probe.hover = (testId, count) => {
    const { left, top, width, height } = find(testId).getBoundingClientRect();
    const shown = Math.min(height, innerHeight - top);
    return probe.frames(count, (number) => {
      const x = left + width * (0.5 + 0.45 * Math.cos(0.31 * number));
      const y = top + shown * (0.5 + 0.45 * Math.sin(0.17 * number));
      send(PointerEvent, x, y, { type: "pointermove", pointerId: 1, pointerType: "mouse" });
    });
  };

  const SORTED = 10;

  probe.sortBy = (number) => {
    const labels = [...document.querySelectorAll('[data-testid="row-label"]')].slice(0, SORTED);
    labels[number % labels.length].click();
  };

  // Sorts by one row after another, leaving three frames to each; returns the longest frame of every sort.
  probe.sort = async (count) => {
    const longest = [];
    for (let number = 0; number < count; number++) {
      longest.push(Math.max(...(await probe.frames(3, (at) => at === 0 && probe.sortBy(number)))));
    }
    return longest;
  };

  const isUnder = (element, [x, y]) => element.contains(document.elementFromPoint(x, y));

  // Places in a bar at which nothing stands, side by side.
  probe.emptyPlaces = () => {
    const bar = document.querySelector(".toolbar");
    const { left, right, top } = bar.getBoundingClientRect();
    const places = Array.from({ length: Math.floor((right - left) / 3) }, (_, number) => [left + 3 * number, top + 4]);
    return places.filter(([x, y]) => document.elementFromPoint(x, y) === bar).slice(0, 40);
  };

  // Places on the names of a panel's rows, each on another one.
  probe.rowPlaces = () =>
    [...find("panel").querySelectorAll('.bank:first-child [data-testid="row-label"]')].flatMap((label) => {
      const { left, top, height } = label.getBoundingClientRect();
      const place = [left + 24, top + height / 2];
      return isUnder(label, place) ? [place] : [];
    });

  // Places on a curve that passes nearly everywhere.
  const placesOn = (element, count) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    const shown = Math.min(height, innerHeight - top);
    return Array.from({ length: count }, (_, number) => [
      left + width * (0.5 + 0.45 * Math.cos(0.31 * number)),
      top + shown * (0.5 + 0.45 * Math.sin(0.47 * number)),
    ]).filter((place) => isUnder(element, place));
  };
  probe.cellPlaces = (count) => placesOn(find("matrix"), count);
  probe.dotPlaces = (count) => placesOn(find("projection"), count);

  probe.scrollRows = (count) => {
    let scroller = find("matrix");
    while (scroller && !(scroller.scrollHeight > scroller.clientHeight + 1 && getComputedStyle(scroller).overflowY === "auto"))
      scroller = scroller.parentElement;
    if (!scroller) throw new Error("nothing scrolls around the matrix");
    const reach = scroller.scrollHeight - scroller.clientHeight;
    return probe.frames(count, (number) => {
      scroller.scrollTop = reach * (0.5 - 0.5 * Math.cos(0.05 * number));
    });
  };

  probe.scrollColumns = (count) => {
    const { left, top, width } = find("matrix").getBoundingClientRect();
    return probe.frames(count, () =>
      send(WheelEvent, left + width / 2, top + 10, { type: "wheel", deltaY: 60, shiftKey: true }),
    );
  };

  const drawnNodes = () => document.querySelector(".graph-canvas [data-node]");
  if (window !== top && location.href.includes("name=activis")) probe.graphPainted = reached(drawnNodes);

  // Looks for what the Graphs tab draws, which stands in shadows within shadows.
  const deepFind = (root, selector) => {
    const found = root.querySelector(selector);
    if (found) return found;
    for (const element of root.querySelectorAll("*")) {
      const inside = element.shadowRoot && deepFind(element.shadowRoot, selector);
      if (inside) return inside;
    }
    return null;
  };
  probe.graphsPainted = () => reached(() => deepFind(document, "g.nodes g.node"));
  probe.after = (milliseconds) => new Promise((resolve) => setTimeout(() => resolve(clock()), milliseconds));

  const closedGroups = () => document.querySelectorAll("[data-testid=graph-group][aria-expanded=false]");
  const openGroups = () => document.querySelectorAll("[data-testid=graph-group][aria-expanded=true]").length;
  const press = (element) => element.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  const settled = async (open) => {
    const limit = clock() + 60_000;
    await reached(() => openGroups() > open || clock() > limit);
  };

  // Milliseconds from a click on a closed group until what it holds is drawn; 0 where none is closed.
  probe.openGroup = async () => {
    const [group] = closedGroups();
    if (!group) return 0;
    const [begun, open] = [clock(), openGroups()];
    press(group);
    await settled(open);
    return clock() - begun;
  };

  // Opens so many groups, a level at a time, with all of the graph in sight.
  probe.openGroups = async (count) => {
    for (let left = count; left > 0; ) {
      document.querySelector("[aria-label='Fit the graph']").click();
      await frame();
      await frame();
      const closed = [...closedGroups()].slice(0, left);
      if (closed.length === 0) break;
      const open = openGroups();
      for (const group of closed) press(group);
      await settled(open);
      left -= closed.length;
    }
    document.querySelector("[aria-label='Fit the graph']").click();
    await frame();
  };

  const mouse = (type, target, x, y) =>
    target.dispatchEvent(
      new MouseEvent(type, { bubbles: true, cancelable: true, view: window, clientX: x, clientY: y, button: 0 }),
    );

  // Drags the graph to and fro.
  probe.pan = async (count) => {
    const svg = document.querySelector(".graph-canvas");
    const { left, top, width, height } = svg.getBoundingClientRect();
    const [x, y] = [left + width / 2, top + height / 2];
    mouse("mousedown", svg, x, y);
    const times = await probe.frames(count, (number) =>
      mouse("mousemove", window, x + (width / 2) * Math.sin(0.05 * number), y + (height / 4) * Math.sin(0.03 * number)),
    );
    mouse("mouseup", window, x, y);
    return times;
  };

  // Zooms in and out around the middle.
  probe.zoom = (count) => {
    const svg = document.querySelector(".graph-canvas");
    const { left, top, width, height } = svg.getBoundingClientRect();
    return probe.frames(count, (number) =>
      svg.dispatchEvent(
        new WheelEvent("wheel", {
          bubbles: true,
          cancelable: true,
          view: window,
          clientX: left + width / 2,
          clientY: top + height / 2,
          deltaY: -40 * Math.sign(Math.sin((2 * Math.PI * number) / 120)),
        }),
      ),
    );
  };

  // Opens and closes the panel of `layer`.
  probe.openings = async (layer, count) => {
    const tensor = document.querySelector(`[data-testid="graph-tensor"][data-layer="${layer}"]`);
    const click = () => tensor.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    for (let number = 0; number < count; number++) {
      click();
      await reached(() => complete());
      click();
      await reached(() => find("panel") === null);
    }
  };

  // Types `text` into the subset bar, a character every `pause` milliseconds; returns the frames meanwhile, and the
  // milliseconds from the last character to its count.
  probe.type = async (text, pause) => {
    const field = find("subset-input");
    const write = (value) => {
      field.value = value;
      field.setSelectionRange(value.length, value.length);
      field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    };
    field.focus();
    write("");
    const frames = [];
    let last = await frame();
    const passed = async () => {
      const now = await frame();
      frames.push(now - last);
      last = now;
    };
    for (let length = 1; length <= text.length; length++) {
      write(text.slice(0, length));
      const until = performance.now() + pause;
      if (length < text.length) while (performance.now() < until) await passed();
    }
    const begun = performance.now();
    while (find("subset-count").dataset.status !== "counted") await passed();
    return { frames, milliseconds: performance.now() - begun };
  };

  // The instances follow the panels over this many frames, a side's cells and picture the base's over these.
  const FOLLOWING = 8;
  const SIDE_FOLLOWING = 4;

  // Picks a step by the slider; returns the milliseconds until all of it is painted.
  probe.switchStep = async (step) => {
    const slider = find("step-picker");
    const begun = performance.now();
    slider.value = step;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await reached(() => window.__activis.state().step === step && complete() && !document.querySelector(".bone"));
    for (let number = 0; number < FOLLOWING; number++) await frame();
    return performance.now() - begun;
  };

  // Plays the steps to the last one; returns the milliseconds from each frame to the next.
  probe.play = async () => {
    const button = find("play");
    button.click();
    const times = [await frame()];
    while (button.getAttribute("aria-pressed") !== "false") times.push(await frame());
    return times.slice(1).map((time, at) => time - times[at]);
  };

  // Puts another run beside the base; returns the milliseconds until it was painted.
  probe.keepRun = async (label) => {
    find("compare-add").click();
    await reached(() => find("candidate"));
    const begun = performance.now();
    document.querySelector(`[data-testid="candidate"][data-label="${label}"]`).click();
    const placed = (side) => Object.values(side.layers).every((layer) => layer.partners && layer.placed > 0);
    await reached(() => {
      const [side] = window.__activis.state().sides;
      return side && Object.keys(side.layers).length > 0 && placed(side);
    });
    for (let number = 0; number < SIDE_FOLLOWING; number++) await frame();
    return performance.now() - begun;
  };

  // The same, and takes it away again.
  probe.addRun = async (label) => {
    const painted = await probe.keepRun(label);
    find("remove-side").click();
    await reached(() => window.__activis.state().sides.length === 0);
    return painted;
  };
})();
