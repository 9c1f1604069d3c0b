"""What was computed lately, kept so that the next request need not wait for it."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Recent(Generic[_Key, _Value]):
    """A bounded mapping that forgets what was used least recently; safe to use from several threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._values: OrderedDict[_Key, _Value] = OrderedDict()
        self._lock = threading.Lock()
        self._making: dict[_Key, threading.Lock] = {}

    def get(self, key: _Key) -> _Value | None:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: _Key, value: _Value) -> None:
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > self._limit:
                self._values.popitem(last=False)

    def get_or_make(
        self, key: _Key, make: Callable[[], _Value], valid: Callable[[_Value], bool] = lambda _: True
    ) -> _Value:
        """Returns the value of `key`, making it if needed; who asks for it meanwhile waits for the same one.

        Args:
            key: Of the value.
            make: Makes it.
            valid: Whether a value that was made before still holds.
        """
        with self._lock:
            turn = self._making.setdefault(key, threading.Lock())
        try:
            with turn:
                known = self.get(key)
                if known is None or not valid(known):
                    known = make()
                    self.put(key, known)
                return known
        finally:
            with self._lock:
                if not turn.locked():
                    self._making.pop(key, None)
