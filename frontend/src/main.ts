/**
 * Module that TensorBoard imports into the plugin's frame. The tab is a chunk of its own: other chunks import that one by its
 * name, while this one may be asked for under another, with a query.
 */
import "@fontsource/roboto/latin-400.css";
import "@fontsource/roboto/latin-500.css";
import "@fontsource/roboto-mono/latin-400.css";
import "./ui/base.css";
import "./ui/menu.css";
import "./views/toolbar/toolbar.css";
import "./views/graph/graph.css";
import "./views/graph/picture.css";
import "./views/graph/card.css";
import "./views/sentence/sentence.css";
import "./views/panel/panel.css";
import "./views/panel/matrix.css";
import "./views/panel/rows.css";
import "./views/panel/projection.css";
import "./views/instances/instances.css";
import "./views/instances/lit.css";
import "./views/instances/test_cases.css";
import "./views/instances/card.css";
import "./views/subsets/manager.css";
import "./views/subsets/subsets.css";
import "./views/subsets/pointing.css";
import "./views/help/help.css";
import "./views/compare/compare.css";
import "./views/panel/sides.css";
import "./views/steps/steps.css";
import "./ui/column.css";
import "./ui/forced_colours.css";

import { show } from "./app";

/** Shows the tab in this document. TensorBoard calls it once. */
export async function render(): Promise<void> {
  document.title = "ActiVis";
  document.documentElement.lang = "en";
  await show(new URL(/* @vite-ignore */ "./", import.meta.url).href, loadStyles().then(loadFonts));
}

function loadStyles(): Promise<void> {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL(/* @vite-ignore */ "./style.css", import.meta.url).href;
  return new Promise((resolve) => {
    link.onload = () => resolve();
    link.onerror = () => resolve();
    document.head.append(link);
  });
}

/** Text on a canvas is drawn once, so its font has to be there before. */
async function loadFonts(): Promise<void> {
  await Promise.allSettled(["400", "500"].map((weight) => document.fonts.load(`${weight} 11px Roboto`)));
}
