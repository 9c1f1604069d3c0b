"""Conditions that are being typed: the newest of each tab is evaluated, those before it are given up.

A request that the browser has aborted looks like any other to a WSGI application, so a tab numbers what it asks.
"""

import re
from collections import OrderedDict
from threading import Lock

from activis_tb.conditions import GivingUp
from activis_tb.errors import ArgumentError

_MOST_TABS = 256
_DRAFT = re.compile(r"([A-Za-z0-9]{1,32})-([0-9]{1,9})")


class Drafts:
    """Remembers the newest draft of each tab, for the tabs that asked last; may be used by several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._newest: OrderedDict[str, tuple[int, GivingUp]] = OrderedDict()

    def begin(self, draft: str) -> GivingUp:
        """Gives up the tab's drafts before this one, and returns what gives up this one: at once if it is late itself.

        Args:
            draft: `<tab>-<number>`, the numbers of a tab rising.

        Raises:
            ArgumentError: It is not of that form.
        """
        parts = _DRAFT.fullmatch(draft)
        if parts is None:
            raise ArgumentError("draft", repr(draft), "letters and digits, a hyphen, a number: tab-12")
        tab, number, one = parts[1], int(parts[2]), GivingUp()
        with self._lock:
            known, before = self._newest.get(tab, (-1, one))
            if number < known:
                one.give_up()
                return one
            self._newest[tab] = number, one
            self._newest.move_to_end(tab)
            while len(self._newest) > _MOST_TABS:
                self._newest.popitem(last=False)
        if before is not one:
            before.give_up()
        return one
