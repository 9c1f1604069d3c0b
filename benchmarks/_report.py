"""How every benchmark reports: a table for people, then one JSON line per figure."""

import json
from dataclasses import asdict, dataclass
from statistics import median
from typing import Literal


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Attributes:
        name: What was measured, with its unit.
        value: The median over `samples`.
        budget: The limit it is held against; None where there is none.
        better: Which direction is good.
        samples: Every single measurement.
    """

    name: str
    value: float
    budget: float | None
    better: Literal["lower", "higher"]
    samples: tuple[float, ...] = ()

    @classmethod
    def of(
        cls, name: str, samples: list[float], budget: float | None, better: Literal["lower", "higher"] = "lower"
    ) -> "Figure":
        return cls(name, median(samples), budget, better, tuple(samples))

    @property
    def verdict(self) -> str:
        if self.budget is None:
            return ""
        kept = self.value <= self.budget if self.better == "lower" else self.value >= self.budget
        return "kept" if kept else "MISSED"


def report(figures: list[Figure]) -> None:
    width = max(len(figure.name) for figure in figures)
    print(f"{'':{width}}  {'median':>10}  {'min - max':>21}  {'budget':>9}")
    for figure in figures:
        low, high = min(figure.samples, default=figure.value), max(figure.samples, default=figure.value)
        budget = "" if figure.budget is None else f"{'<=' if figure.better == 'lower' else '>='} {figure.budget:g}"
        spread = f"{low:,.4g} - {high:,.4g}" if figure.samples else ""
        print(f"{figure.name:{width}}  {figure.value:>10,.4g}  {spread:>21}  {budget:>9}  {figure.verdict}")
    for figure in figures:
        print(json.dumps({key: value for key, value in asdict(figure).items() if key != "samples"}))
