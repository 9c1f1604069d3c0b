/** Module that TensorBoard imports into the plugin's frame. It is shipped as it stands. */

const folder = new URL("./", import.meta.url).href;

/** Shows the tab in this document. TensorBoard calls it once. */
export async function render() {
  document.title = "ActiVis";
  document.documentElement.lang = "en";
  // Every answer of TensorBoard takes its time: what does not depend on each other is asked for at once.
  const styled = load({ rel: "stylesheet", href: `${folder}style.css` }).then(loadFonts);
  for (const module of ["app.js", "graph_tree.js"]) load({ rel: "modulepreload", href: folder + module });
  load({ rel: "preload", as: "fetch", href: `${folder}runs`, crossOrigin: "anonymous" });
  const { show } = await import("./tab.js");
  await show(folder, styled);
}

/** Returns when what a link is about is there, or cannot be had. */
function load(properties) {
  const link = Object.assign(document.createElement("link"), properties);
  return new Promise((resolve) => {
    link.onload = resolve;
    link.onerror = resolve;
    document.head.append(link);
  });
}

/** Text on a canvas is drawn once, so its font has to be there before. */
const loadFonts = () =>
  Promise.allSettled(["400", "500"].map((weight) => document.fonts.load(`${weight} 11px Roboto`)));
