"""What is asked of a server, and the tally of how it answered: by route and status, the slowest, every failure."""

import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from werkzeug.test import Client

from activis_tb.plugin.routes import UNFORESEEN
from tests.fuzzing.queries import ALLOWED, Query

_MOST_SLOW = 5
PREFIX = "/data/plugin/activis"
Fetch = Callable[[str], tuple[int, bytes]]
"""Returns status and body of a GET of a path with its query."""


@dataclass
class Tally:
    """How requests were answered.

    Attributes:
        counts: By route and status.
        slowest: By whether it was refused, the slowest answers: seconds, route, title and status, the slowest first.
        failures: What no answer may be, a sentence each.
    """

    counts: Counter[tuple[str, int]] = field(default_factory=Counter)
    slowest: dict[bool, list[tuple[float, str, str, int]]] = field(default_factory=lambda: {True: [], False: []})
    failures: list[str] = field(default_factory=list)

    def ask(self, fetch: Fetch, query: Query, title: str) -> tuple[int, bytes]:
        """Asks and counts; `title` says what the data is."""
        began = time.perf_counter()
        try:
            status, body = fetch(path_of(query))
        except Exception:  # the server is the subject: whatever it raises is a failure of its
            status, body = 599, traceback.format_exc(limit=-4).encode()
        seconds = time.perf_counter() - began
        route = query[0]
        self.counts[route, status] += 1
        self._remember(status >= 400, [(seconds, route, title, status)])
        if status not in ALLOWED or UNFORESEEN.encode() in body:
            self.failures.append(
                f"{status} {route} {str(query[1])[:300]} of {title}:\n{body.decode(errors='replace')[-900:]}"
            )
        return status, body

    def add(self, other: "Tally") -> None:
        """Adds what another one has counted."""
        self.counts += other.counts
        self.failures += other.failures
        for refused, slowest in other.slowest.items():
            self._remember(refused, slowest)

    def _remember(self, refused: bool, answers: Iterable[tuple[float, str, str, int]]) -> None:
        self.slowest[refused] = sorted([*self.slowest[refused], *answers], reverse=True)[:_MOST_SLOW]

    def ask_all(self, fetch: Fetch, queries: Iterable[Query], title: str) -> None:
        for query in queries:
            self.ask(fetch, query, title)


def path_of(query: Query) -> str:
    """Returns the path of a request; what is no Unicode goes as bytes that are no UTF-8."""
    route, parameters = query
    text = urlencode(parameters, encoding="utf-8", errors="surrogatepass")
    return f"{PREFIX}/{quote(route)}?{text}"


def fetch_from(client: Client) -> Fetch:
    """Asks an application in this process; an exception that it does not handle is raised."""

    def fetch(path: str) -> tuple[int, bytes]:
        response = client.get(path)
        return response.status_code, response.data

    return fetch
