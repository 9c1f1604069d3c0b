// Generates src/contract/activis.ts, the wire types, from the one contract. protoc comes with Python's grpcio-tools,
// so a build needs no other compiler; $PYTHON names the interpreter that has it.
import { execFileSync } from "node:child_process";
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
      "--ts_proto_opt=onlyTypes=true,snakeToCamel=false,unrecognizedEnum=false",
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
