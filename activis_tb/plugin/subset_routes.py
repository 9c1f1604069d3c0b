"""The routes about subsets that are thought of while looking: `subset`, `subset_statistics` and `summaries`."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import numpy as np
from werkzeug.wrappers import Request, Response

from activis_tb.conditions import ConditionError, GivenUpError
from activis_tb.plugin import payloads
from activis_tb.plugin.drafts import Drafts
from activis_tb.plugin.guard import sentence
from activis_tb.plugin.params import Parameters
from activis_tb.plugin.populations import Population
from activis_tb.plugin.recent import Recent
from activis_tb.plugin.snapshots import JoinedSnapshot
from activis_tb.plugin.subset_averages import STATISTIC_CHOICES, Averages, StatisticChoice
from activis_tb.plugin.subsets import Subset, Subsets, describe
from activis_tb.plugin.summaries import summarise

Handler = Callable[[Request, Parameters, JoinedSnapshot], Response]
_MOST_SUMMARIES = 64


class SubsetRoutes:
    """Answers requests about conditions.

    Args:
        logdir: As TensorBoard was given it; may be empty.

    Attributes:
        handlers: By route; they raise what `Subsets` raises.
    """

    def __init__(self, logdir: str) -> None:
        self._subsets = Subsets(logdir)
        self._drafts = Drafts()
        self._summaries: Recent[str, tuple[Population, dict[str, Any]]] = Recent(_MOST_SUMMARIES)
        self.handlers: Mapping[str, Handler] = {
            "subset": _refusing(self._subset),
            "subset_statistics": _refusing(self._statistics),
            "summaries": _refusing(self._summary),
        }

    def _subset(self, request: Request, parameters: Parameters, snapshot: JoinedSnapshot) -> Response:
        draft = parameters.text("draft", "")
        giving_up = self._drafts.begin(draft) if draft else None
        subset = self._subsets.subset(snapshot, parameters.text("condition"), giving_up)
        return payloads.json_document(request, payloads.message_to_dict(describe(subset)))

    def _statistics(self, request: Request, parameters: Parameters, snapshot: JoinedSnapshot) -> Response:
        layer, statistic = parameters.text("layer"), parameters.choice("statistic", STATISTIC_CHOICES)
        subset, averages = self._subsets.averages(snapshot, layer, statistic, parameters.text("condition"))
        values = np.atleast_2d(averages.statistic(statistic)).astype(np.float64)
        return payloads.npy(request, values, headers=_headers(subset, averages, statistic))

    def _summary(self, request: Request, _: Parameters, snapshot: JoinedSnapshot) -> Response:
        key = snapshot.identity
        known = self._summaries.get(key)
        if known is not None and known[0].unchanged():
            return payloads.json_document(request, known[1])
        with self._subsets.admission.admitted():
            population = self._subsets.populations.get(snapshot)
            document = payloads.message_to_dict(summarise(population))
        if not population.note:
            self._summaries.put(key, (population, document))
        return payloads.json_document(request, document)


def _refusing(handler: Handler) -> Handler:
    """Returns `handler` with an answer to conditions that cannot be used or were given up."""

    def answer(request: Request, parameters: Parameters, snapshot: JoinedSnapshot) -> Response:
        try:
            return handler(request, parameters, snapshot)
        except ConditionError as error:
            return _refused_condition(request, error)
        except GivenUpError as error:
            return sentence(request, str(error), 409)

    return answer


def _refused_condition(request: Request, error: ConditionError) -> Response:
    """Returns the answer to a condition that cannot be used: a sentence, and where the fault is."""
    start, end = error.position
    headers = [("Activis-Error-Start", str(start)), ("Activis-Error-End", str(end))]
    if error.suggestion:
        headers.append(("Activis-Suggestion", quote(error.suggestion)))
    return sentence(request, str(error), 400, headers)


def _headers(subset: Subset, averages: Averages, statistic: StatisticChoice) -> list[tuple[str, str]]:
    headers = [
        ("Activis-Exactness", averages.exactness),
        ("Activis-Over", str(averages.over)),
        ("Activis-Total", str(subset.population.snapshot.manifest.instances)),
        ("Activis-Count", f"{payloads.whole_if_possible(subset.instances)}"),
    ]
    bound, error = averages.largest("bound", statistic), averages.largest("error", statistic)
    headers += [] if bound is None else [("Activis-Bound", f"{bound:.17g}")]
    headers += [] if error is None else [("Activis-Standard-Error", f"{error:.17g}")]
    note = averages.note or subset.note
    return headers + ([("Activis-Note", quote(note))] if note else [])
