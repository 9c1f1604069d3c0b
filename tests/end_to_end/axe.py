"""What axe-core finds in the tab."""

import pytest

from tests.end_to_end.conftest import ROOT
from tests.end_to_end.tab import Tab

AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"


def violations(tab: Tab, within: str = "html") -> list[str]:
    """Everything that axe-core finds in the element that the selector `within` finds, a line each."""
    if not AXE.exists():
        pytest.skip(f"axe-core is not installed: run `npm ci` in {AXE.parents[2]}")
    tab.frame.evaluate(AXE.read_text(encoding="utf-8"))
    found = tab.frame.evaluate("within => axe.run(within, {resultTypes: ['violations']})", within)["violations"]
    return [
        f"{finding['id']}: {node['html'][:160]} ({node['failureSummary']})"
        for finding in found
        for node in finding["nodes"]
    ]
