/** Tab: the three views side by side, or what stands there until there is something to see. */

import { useSignal } from "@preact/signals";
import { Fragment, render } from "preact";
import { useEffect, useLayoutEffect } from "preact/hooks";
import { createClient } from "./contract/client";
import { openParentHash } from "./store/address";
import { observeHost } from "./store/host";
import type { LayerStore } from "./store/layer";
import { createTab } from "./store/tab";
import { keyedNeuron } from "./store/url_state";
import { SnapshotContext, TabContext, usePalette, useSnapshot, useTab } from "./ui/context";
import { Problem } from "./ui/controls";
import { deferred, loadDeferred } from "./ui/deferred";
import { GraphView, useGraphSize } from "./views/graph/graph";
import { InstanceColumn } from "./views/instances/column";
import { Panel } from "./views/panel/panel";
import { Sentence, ShortSentence } from "./views/sentence/sentence";
import { SubsetBar } from "./views/subsets/bar";
import { Toolbar } from "./views/toolbar/toolbar";

const Announcer = deferred(async () => (await import("./views/status/announcer")).Announcer);
const ComparisonStrip = deferred(async () => (await import("./later")).ComparisonStrip);
const DockedInstance = deferred(async () => (await import("./later")).DockedInstance);
const GraphPath = deferred(async () => (await import("./views/graph/path")).GraphPath);
const Help = deferred(async () => (await import("./later")).Help);
const LayerInvitation = deferred(async () => (await import("./views/status/empty")).LayerInvitation);
const NeuronCard = deferred(async () => (await import("./views/neuron/neuron_card")).NeuronCard);
const NothingRecorded = deferred(async () => (await import("./views/status/empty")).NothingRecorded);
const OverSteps = deferred(async () => (await import("./later")).OverSteps);
const UnknownLine = deferred(async () => (await import("./views/status/announcer")).UnknownLine);

const IDLE_MILLISECONDS = 2_000;

/**
 * @param folder URL of the plugin's routes and files.
 * @param isStyled Resolved when styles and fonts are there; data are asked for before.
 */
export async function show(folder: string, isStyled: Promise<void>): Promise<void> {
  const address = openParentHash(window);
  const namesSomething = Object.keys(address.read()).length > 0;
  const tab = createTab(createClient(folder), address, observeHost(window));
  // For what looks on: store/debug.ts.
  dispatchEvent(new CustomEvent("activis", { detail: tab }));
  // What comes later would move the panels.
  await Promise.all([
    isStyled,
    namesSomething && UnknownLine.load(),
    tab.urlState.maximised.peek() !== "" && GraphPath.load(),
  ]);
  if (tab.comparing.active.peek() || tab.urlState.overSteps.peek() !== "") await loadDeferred();
  render(
    <TabContext.Provider value={tab}>
      <SnapshotContext.Provider value={tab.base}>
        <App />
      </SnapshotContext.Provider>
    </TabContext.Provider>,
    document.body,
  );
  setTimeout(loadDeferred, IDLE_MILLISECONDS);
}

function App() {
  usePageColours();
  return (
    <div class="tab" data-testid="tab">
      <Content />
    </div>
  );
}

function Content() {
  const { catalogue, comparing, urlState, opening } = useTab();
  const { layers } = useSnapshot();
  /** Null before it was opened once. */
  const help = useSignal<boolean | null>(null);
  const openHelp = () => {
    help.value = true;
  };
  useHelpKey(openHelp);
  const isPath = useGraphSize() === "path";
  const runs = catalogue.runs.value;
  if (runs.status === "error") return <Problem sentence={runs.message} retry={() => void catalogue.refresh()} />;
  if (!runs.value) return <p class="waiting">Looking for recordings…</p>;
  if (!catalogue.snapshot.value) return <NothingRecorded />;
  const compares = comparing.active.value;
  const panels = shownLayers(layers.value, urlState.maximised.value);
  const card = keyedNeuron(urlState.neuron.value);
  return (
    <>
      <Toolbar onHelp={openHelp} />
      <UnknownLine />
      <main class={compares ? "views comparing" : "views"} style={{ "--sides": comparing.sides.value.length + 1 }}>
        <h1 class="unseen">ActiVis</h1>
        <div class="left">
          {!compares && !isPath && <Sentence />}
          <GraphView />
          <SubsetBar before={isPath && <GraphPath />} after={isPath && <ShortSentence />} />
          <div class="panels" style={{ "--panels": Math.max(1, panels.length) }}>
            {compares && <ComparisonStrip />}
            {panels.map((layer) => (
              <Fragment key={layer.name}>
                <Panel layer={layer} />
                {card?.layer === layer.name && card.neuron < (layer.entry.value?.neurons ?? 0) && (
                  <NeuronCard layer={layer} neuron={card.neuron} />
                )}
              </Fragment>
            ))}
            {urlState.overSteps.value !== "" && <OverSteps />}
            {layers.value.length === 0 && (opening.value ? <PanelPlaces /> : <LayerInvitation />)}
          </div>
          {compares && <DockedInstance />}
        </div>
        {!compares && <InstanceColumn />}
      </main>
      <Announcer />
      {help.value !== null && (
        <Help
          open={help.value}
          onClose={() => {
            help.value = false;
          }}
        />
      )}
    </>
  );
}

/** Stands where the first two panels will be in a moment. */
const PanelPlaces = () => (
  <>
    <div class="card panel" />
    <div class="card panel" />
  </>
);

/** The maximised layer alone, where it is open and recorded; else every open one. */
function shownLayers(layers: readonly LayerStore[], maximised: string): readonly LayerStore[] {
  const alone = layers.filter((layer) => layer.name === maximised && layer.entry.value !== null);
  return alone.length > 0 ? alone : layers;
}

/** Hands the palette to the style sheet, so that colours have one home. */
function usePageColours(): void {
  const palette = usePalette();
  const dark = useTab().host.dark.value;
  useLayoutEffect(() => {
    const root = document.documentElement;
    root.style.colorScheme = dark ? "dark" : "light";
    for (const [name, value] of Object.entries(palette)) {
      if (typeof value === "string") root.style.setProperty(`--${name}`, value);
    }
  }, [palette, dark]);
}

/** `?` opens the help, except while something is typed. */
function useHelpKey(open: () => void): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const typing =
        event.target instanceof Element && event.target.matches("input:not([type=range]), textarea, select");
      if (event.key === "?" && !typing) open();
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  });
}
