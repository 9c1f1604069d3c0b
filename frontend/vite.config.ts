import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// One ES module, index.js, that exports render(); TensorBoard imports it by that name. Fonts and workers stay files
// beside it, because the host's content security policy refuses blob: and anything remote.
export default defineConfig({
  base: "./",
  resolve: { alias: { "d3-transition": fileURLToPath(new URL("src/no_transition.ts", import.meta.url)) } },
  build: {
    outDir: "../activis_tb/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: false,
    cssCodeSplit: false,
    rollupOptions: {
      input: "src/main.tsx",
      preserveEntrySignatures: "strict",
      output: {
        format: "es",
        entryFileNames: "index.js",
        chunkFileNames: "[name].js",
        assetFileNames: "[name][extname]",
      },
    },
  },
  worker: { format: "es" },
  test: { environment: "happy-dom", include: ["test/**/*.test.{ts,tsx}"] },
});
