"""Linear algebra on one thread.

BLAS threads wait for one another by spinning: while another computation has their core, a product that takes
milliseconds alone takes seconds. Their number also changes the last bits of the result.
"""

from contextlib import AbstractContextManager
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController


def one_thread() -> AbstractContextManager[Any]:
    """Returns a context in which NumPy's linear algebra uses one thread."""
    limit: AbstractContextManager[Any] = _controller().limit(limits=1, user_api="blas")
    return limit


@cache
def _controller() -> "ThreadpoolController":
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
