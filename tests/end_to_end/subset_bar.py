"""What a person does at the subset bar, and what the tab then shows."""

import numpy as np

from tests.end_to_end.tab import Tab


def ready(tab: Tab) -> Tab:
    tab.wait("the columns and dots", lambda state: state["columns"].get("hidden") and state["projection"].get("hidden"))
    return tab


def add(tab: Tab, condition: str) -> None:
    tab.get("subset-input").fill(condition)
    tab.get("subset-input").press("Enter")
    tab.wait("its count", lambda state: any(one["condition"] == condition and one["count"] for one in state["subsets"]))
    tab.get("subset-input").press("Escape")


def row_values(tab: Tab, key: str) -> np.ndarray:
    values = None
    while values is None:
        values = tab.frame.evaluate("key => window.__activis.row('hidden', key)", key)
        tab.page.wait_for_timeout(50)
    return np.array(values)


def forgive_refusals(tab: Tab) -> None:
    """Browsers write every answer of 400 to the console; a condition that is not finished yet has it."""
    tab.complaints[:] = [complaint for complaint in tab.complaints if "400 (BAD REQUEST)" not in complaint]


def inserts(tab: Tab) -> list[str | None]:
    return tab.get("completion").evaluate_all("all => all.map(one => one.dataset.insert)")
