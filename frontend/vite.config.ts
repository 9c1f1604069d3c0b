import { fileURLToPath } from "node:url";
import type { BuildEnvironmentOptions } from "vite";
import { defineConfig } from "vitest/config";

// TensorBoard imports public/index.js, which is shipped as it stands: Vite would import a helper into it, and the tab with
// that. What the first picture needs is in app.js, which the other chunks import. Fonts and workers stay files beside it, because the host's content security
// policy refuses blob: and anything remote; graph_tree.js is what the worker graph_placing.js shares with the tab.
const tab: BuildEnvironmentOptions = {
  outDir: "../activis_tb/static",
  emptyOutDir: true,
  assetsInlineLimit: 0,
  modulePreload: false,
  cssCodeSplit: false,
  rollupOptions: {
    input: { tab: "src/main.ts" },
    preserveEntrySignatures: "strict",
    output: {
      format: "es",
      entryFileNames: "[name].js",
      chunkFileNames: "[name].js",
      assetFileNames: "[name][extname]",
      codeSplitting: {
        groups: [
          { name: "graph_tree", test: /graph_tree\.ts$/, priority: 1 },
          { name: "app", test: /main\.ts$/ },
        ],
      },
    },
  },
};

// A classic script, for tests and benchmarks alone; it is not shipped.
const debug: BuildEnvironmentOptions = {
  outDir: "../build",
  emptyOutDir: false,
  rollupOptions: { input: "src/store/debug.ts", output: { format: "iife", entryFileNames: "debug.js" } },
};

export default defineConfig(({ mode }) => ({
  base: "./",
  resolve: { alias: { "d3-transition": fileURLToPath(new URL("src/no_transition.ts", import.meta.url)) } },
  build: { target: "es2022", ...(mode === "debug" ? debug : tab) },
  worker: { format: "es" },
  test: { environment: "happy-dom", include: ["test/**/*.test.{ts,tsx}"] },
}));
