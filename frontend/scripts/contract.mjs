// Generates src/contract/activis.ts, the wire types, and src/contract/language.ts, the tokens of conditions, from the
// one contract and the one grammar. protoc comes with Python's grpcio-tools, so a build needs no other compiler; $PYTHON
// names the interpreter that has it.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const python = process.env.PYTHON ?? "python3";
const plugin =
  process.platform === "win32" ? "node_modules/.bin/protoc-gen-ts_proto.cmd" : "node_modules/.bin/protoc-gen-ts_proto";

try {
  execFileSync(
    python,
    [
      "-m",
      "grpc_tools.protoc",
      `--plugin=protoc-gen-ts_proto=${plugin}`,
      "-I../proto",
      "--ts_proto_out=src/contract",
      "--ts_proto_opt=onlyTypes=true,snakeToCamel=false,unrecognizedEnum=false,useOptionals=messages",
      "../proto/activis.proto",
    ],
    { cwd: root, stdio: "inherit" },
  );
} catch {
  process.exitCode = 1;
  process.stderr.write(
    `The wire types were not generated: "${python} -m grpc_tools.protoc" failed. ` +
      "Install grpcio-tools for it, or name another interpreter in $PYTHON.\n",
  );
}

const conditions = new URL("../../activis_tb/conditions/", import.meta.url);
const grammar = readFileSync(new URL("language.lark", conditions), "utf8");
const limits = readFileSync(new URL("grammar.py", conditions), "utf8");

/** The pattern of a terminal: as it is written, or of the texts it may be, the longest first. */
function pattern(terminal) {
  const [, written] = new RegExp(`^${terminal}(?:\\.\\d+)?: (.+)$`, "m").exec(grammar);
  if (written.startsWith("/")) return written.slice(1, -1);
  const texts = [...written.matchAll(/"([^"]+)"/g)].map(([, text]) => text.replace(/[.*+?|()[\]{}\\^$]/g, "\\$&"));
  return texts.sort((one, other) => other.length - one.length).join("|");
}

const words = [...grammar.matchAll(/^(\w+): "\1"$/gm)].map(([, word]) => word);
const names = /^\?name: (.+)$/m.exec(grammar)[1].split(" | ");
const constants = {
  KEYWORDS: words.filter((word) => !names.includes(word)),
  NAME: pattern("NAME"),
  QUOTED: pattern("QUOTED"),
  TEXT: pattern("TEXT"),
  NUMBER: pattern("NUMBER"),
  OPERATOR: ["EQUALITY", "RELATION", "NOT_MATCHES"].map(pattern).join("|"),
  MOST_CHARACTERS: Number(/^MOST_CHARACTERS = (\d+)$/m.exec(limits)[1]),
  MOST_OPERANDS: Number(/^MOST_OPERANDS = (\d+)$/m.exec(limits)[1]),
};
writeFileSync(
  new URL("../src/contract/language.ts", import.meta.url),
  [
    "/** Tokens of conditions as regular expressions, and their limits; made by scripts/contract.mjs from the grammar. */",
    ...Object.entries(constants).map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};`),
    "",
  ].join("\n"),
);
