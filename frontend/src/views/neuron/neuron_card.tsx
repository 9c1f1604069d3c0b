/** Card of a neuron, docked below its panel: what it answers to, how well it tells classes apart, and what is like it. */

import { effect } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { NeuronCard as Neuron } from "../../contract/activis";
import { writtenNumber } from "../../contract/exact_values";
import { quoteText } from "../../language/tokens";
import type { LayerStore } from "../../store/layer";
import { Cache, createResource, type Loadable, untilDone } from "../../store/resource";
import { sortOptions } from "../../store/sort_options";
import { narrowed } from "../../store/subset_from_click";
import type { NamedCondition } from "../../store/subset_list";
import { type ColouringNeuron, keyedNeuron, neuronColour, neuronKey } from "../../store/url_state";
import { useClassColours, useSnapshot, useTab } from "../../ui/context";
import { Problem } from "../../ui/controls";
import { ClassDot, Icon, LayerGlyph } from "../../ui/glyphs";
import { countText, percentText, valueText } from "../../ui/numbers";
import { Distribution, NeuronSteps } from "./charts";
import { NeuronInstances, NeuronWordList, OutputWeights, SimilarNeurons } from "./lists";
import { areaText, areaTitle, basisText, thresholdOf } from "./words";

const cache = new Cache(8 * 2 ** 20);

/** What is known of the neuron that the address names; while the next one is asked for, the one before stays. */
function useNeuron(): Loadable<Neuron> {
  const { client, urlState } = useTab();
  const store = useSnapshot();
  const resource = useMemo(
    () =>
      createResource<Neuron>(() => {
        const wanted = keyedNeuron(urlState.neuron.value);
        const reference = store.reference.value;
        if (!wanted || !reference) return null;
        const { layer, neuron } = wanted;
        return {
          key: `${urlState.neuron.value} ${store.key.value}`,
          subject: JSON.stringify([layer, reference.run, reference.name]),
          load: (signal, show) => untilDone(() => client.neuron(reference, layer, neuron, signal), signal, show),
        };
      }, cache),
    [client, urlState, store],
  );
  useEffect(() => resource.dispose, [resource]);
  return resource.state.value;
}

interface CardProperties {
  layer: LayerStore;
  neuron: number;
}

/** @param neuron Its position in the layer. */
export function NeuronCard({ layer, neuron }: CardProperties) {
  const card = useRef<HTMLElement>(null);
  const state = useNeuron();
  const go = useSteps(layer);
  const close = useClosing(card, layer.name);
  useKeys(card, go, close);
  useNotch(card, layer, neuron);
  usePlace(card, layer.name);
  const { value } = state;
  const isStale = value !== undefined && value.neuron !== neuron;
  return (
    <section
      ref={card}
      class="card neuron-card"
      data-testid="neuron-card"
      data-layer={layer.name}
      data-neuron={neuron}
      data-done={state.status === "ready"}
      aria-label={`Neuron ${neuron} of ${layer.name}`}
    >
      <i class="neuron-notch" aria-hidden="true" />
      <Head layer={layer} neuron={neuron} value={isStale ? undefined : value} go={go} close={close} />
      {state.status === "error" ? (
        <Problem sentence={state.message} />
      ) : value?.dead && !isStale ? (
        <DeadNeuron value={value} />
      ) : (
        <Body value={isStale ? undefined : value} isWhole={state.status === "ready"} />
      )}
    </section>
  );
}

/** Returns how to go on by so many neurons in the order that the panel shows; at its ends nothing happens. */
function useSteps(layer: LayerStore): (by: number) => void {
  const { urlState } = useTab();
  return (by) => {
    const order = layer.columns.peek();
    // Keys may come faster than the card is drawn.
    const next = order?.[order.indexOf(keyedNeuron(urlState.neuron.peek())?.neuron ?? -1) + by];
    if (next !== undefined) urlState.neuron.value = neuronKey({ neuron: next, layer: layer.name });
  };
}

type Box = RefObject<HTMLElement | null>;

const panelOf = (layer: string): HTMLElement | null =>
  document.querySelector(`[data-testid="panel"][data-layer="${CSS.escape(layer)}"]`);

/** Returns how to close the card: the focus goes back to the matrix where it was in the card. */
function useClosing(card: Box, layer: string): () => void {
  const { urlState } = useTab();
  return () => {
    if (card.current?.contains(document.activeElement)) {
      panelOf(layer)?.querySelector<HTMLElement>('[role="grid"]')?.focus();
    }
    urlState.neuron.value = "";
  };
}

/** [ and ] go on wherever the focus is, arrows inside the card; Escape closes it, unless it means something else first. */
function useKeys(card: Box, go: (by: number) => void, close: () => void): void {
  const { comparison, urlState } = useTab();
  useEffect(() => {
    let isTaken = false;
    const look = ({ target }: KeyboardEvent) => {
      const isTyped = target instanceof Element && target.matches("input:not([type=range]), textarea, select");
      const isOpen = document.querySelector(":popover-open, dialog[open]") !== null;
      const isCompared = comparison.marked.peek() !== null || comparison.compared.peek() !== null;
      isTaken = isTyped || isOpen || isCompared || urlState.locked.peek() !== "";
    };
    const listen = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const isInside = card.current?.contains(event.target as Node) ?? false;
      const by = { "[": -1, "]": 1, ...(isInside && { ArrowLeft: -1, ArrowRight: 1 }) }[event.key];
      if (event.key === "Escape" && (!isTaken || isInside)) close();
      else if (by !== undefined && !isTyping(event.target)) go(by);
      else return;
      event.preventDefault();
    };
    document.addEventListener("keydown", look, { capture: true });
    document.addEventListener("keydown", listen);
    return () => {
      document.removeEventListener("keydown", look, { capture: true });
      document.removeEventListener("keydown", listen);
    };
  });
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof Element && target.matches("input, textarea, select");

/** Points at the neuron's column, as long as that is in sight. */
function useNotch(card: Box, layer: LayerStore, neuron: number): void {
  useLayoutEffect(() => {
    let request = 0;
    const place = () => {
      cancelAnimationFrame(request);
      // The band is moved in the same turn.
      request = requestAnimationFrame(() => {
        const element = card.current;
        const bands = [...(panelOf(layer.name)?.querySelectorAll(".column-band.chosen") ?? [])];
        const band = bands.map((one) => one.getBoundingClientRect()).find(({ bottom }) => bottom > 0);
        if (!element) return;
        const left = band ? band.left + band.width / 2 - element.getBoundingClientRect().left : -99;
        element.style.setProperty("--notch", `${Math.round(left)}px`);
      });
    };
    const observer = new ResizeObserver(place);
    const panel = panelOf(layer.name);
    if (panel) observer.observe(panel);
    const stop = effect(() => {
      void layer.columns.value;
      place();
    });
    return () => {
      stop();
      observer.disconnect();
      cancelAnimationFrame(request);
    };
  }, [layer, neuron]);
}

/** Brings the card into sight, takes the focus from a matrix that keys walk, and goes with its panel. */
function usePlace(card: Box, layer: string): void {
  const { urlState } = useTab();
  useEffect(() => {
    if (document.activeElement?.matches('[role="grid"]:focus-visible')) {
      card.current?.querySelector<HTMLElement>("h3")?.focus({ preventScroll: true });
    }
    const timer = setTimeout(() => card.current?.scrollIntoView({ block: "nearest" }));
    return () => {
      clearTimeout(timer);
      if (!urlState.layers.peek().includes(layer)) urlState.neuron.value = "";
    };
  }, [card, urlState, layer]);
}

interface HeadProperties extends CardProperties {
  value: Neuron | undefined;
  go: (by: number) => void;
  close: () => void;
}

/** What the neurons are sorted by. */
function useOrderName(): string {
  const { urlState, comparison } = useTab();
  const { snapshot, rows } = useSnapshot();
  const { value: sort } = urlState.sort;
  const options = snapshot.value ? sortOptions(snapshot.value, rows.value, sort, comparison.compared.value) : [];
  const { value, label } = options.findLast((one) => one.value === sort) ?? options[0] ?? { value: "", label: "" };
  return value === "natural" ? "as recorded" : `by ${label}`;
}

function Head({ layer, neuron, value, go, close }: HeadProperties) {
  const order = layer.columns.value;
  const at = order?.indexOf(neuron) ?? -1;
  const last = (order?.length ?? 0) - 1;
  const by = useOrderName();
  return (
    <header class="neuron-head">
      <h3 tabIndex={-1}>
        <LayerGlyph />
        <span class="neuron-layer" title={layer.name}>
          {layer.name}
        </span>
        <span aria-hidden="true">›</span>
        <b role="status">neuron {neuron}</b>
      </h3>
      {value && !value.dead && <Chips value={value} />}
      <span class="neuron-place" title={by}>
        {at >= 0 && `${countText(at + 1)} of ${countText(last + 1)} ${by}`}
      </span>
      <button
        type="button"
        class="field"
        aria-label="Previous neuron"
        title="Previous neuron ([)"
        disabled={at <= 0}
        onClick={() => go(-1)}
      >
        <Icon name="previous" />
      </button>
      <button
        type="button"
        class="field"
        aria-label="Next neuron"
        title="Next neuron (])"
        disabled={at < 0 || at >= last}
        onClick={() => go(1)}
      >
        <Icon name="next" />
      </button>
      {value && !value.dead && <Actions value={value} />}
      <button type="button" class="quiet" aria-label="Close the neuron" title="Close (Esc)" onClick={close}>
        <Icon name="close" />
      </button>
    </header>
  );
}

function Chips({ value }: { value: Neuron }) {
  const { snapshot } = useSnapshot();
  const colours = useClassColours();
  const preferred = value.classes.find(({ label }) => label === value.preferred);
  const name = snapshot.value?.classes[value.preferred] ?? "";
  return (
    <>
      {preferred && value.preferred >= 0 && (
        <span class="neuron-chip" data-testid="preferred" title={areaTitle(value, preferred, name)}>
          <ClassDot colour={colours[value.preferred]} />
          prefers <b>{name}</b> · AUC {areaText(value, preferred)}
        </span>
      )}
      {value.eta_squared !== undefined && (
        <span
          class="neuron-chip"
          data-testid="eta-squared"
          title={`Share of the neuron's variance that lies between the classes, over all ${countText(value.count)} instances with a finite activation`}
        >
          tells classes apart · η² {value.eta_squared.toFixed(2)}
        </span>
      )}
    </>
  );
}

/** The instances above a limit as a subset. */
function subsetOf({ layer, neuron }: ColouringNeuron, limit: number): NamedCondition {
  const written = writtenNumber(limit);
  return {
    name: `${layer} ${neuron} > ${written}`,
    condition: `neuron(${quoteText(layer)}, ${neuron}) > ${written}`,
  };
}

function Actions({ value }: { value: Neuron }) {
  const { urlState, pointing } = useTab();
  const colour = neuronColour(value);
  const isColoured = urlState.colour.value === colour;
  const limit = thresholdOf(value);
  const made = () => narrowed(subsetOf(value, limit), urlState.filter.peek());
  return (
    <>
      <button
        type="button"
        class="field"
        data-testid="neuron-subset"
        title={`Make a row of the instances above the mean of ${value.preferred < 0 ? "all" : "the class that it prefers"}`}
        onClick={() => pointing.point(made())}
      >
        + Subset where &gt; {valueText(limit)}
      </button>
      <button
        type="button"
        class="field"
        data-testid="neuron-colour"
        aria-pressed={isColoured}
        title="Colour the dots of every projection by this neuron, and order and colour the squares by it"
        onClick={() => {
          urlState.colour.value = isColoured ? "label" : colour;
        }}
      >
        Colour by it
      </button>
    </>
  );
}

function DeadNeuron({ value }: { value: Neuron }) {
  const since = value.dead_since;
  const isAlways = since === value.steps[0]?.step;
  return (
    <div class="neuron-body dead">
      <p data-testid="dead-neuron">
        Dead: exactly zero for all {countText(value.count)} instances
        {since !== undefined &&
          value.steps.length > 1 &&
          (isAlways ? ", at every step so far" : ` since step ${since}`)}
        .
      </p>
      <NeuronSteps value={value} />
    </div>
  );
}

function Body({ value, isWhole }: { value: Neuron | undefined; isWhole: boolean }) {
  return (
    <div class={value?.words ? "neuron-body with-words" : "neuron-body"}>
      <div class="neuron-part">
        <Distribution value={value} />
        {value && isWhole && <NeuronSteps value={value} />}
      </div>
      <NeuronInstances value={value} />
      {value?.words && <NeuronWordList words={value.words} />}
      <div class="neuron-part">
        {value && value.weights.length > 0 && <OutputWeights weights={value.weights} />}
        <SimilarNeurons value={value} isWhole={isWhole} />
        {value && <Facts value={value} />}
      </div>
    </div>
  );
}

function Facts({ value }: { value: Neuron }) {
  const { mean, std, min, max, active, count, nonfinite } = value;
  return (
    <>
      <h4>Over all {countText(count)}</h4>
      <p class="neuron-facts">
        mean {valueText(mean)}, standard deviation {valueText(std)}, from {valueText(min)} to {valueText(max)}, above
        zero in {percentText(active)}
        {nonfinite > 0 && `; ${countText(nonfinite)} not finite`}
      </p>
      <p class="hint">{basisText(value)}</p>
      {value.note !== "" && <p class="hint">{value.note}</p>}
    </>
  );
}
