"""One thread at a time imports the big libraries.

Their modules import one another in circles. Where two threads come across such a circle, Python lets one of them see a
module that is not complete yet rather than have both wait for ever.
"""

from threading import RLock

IMPORTING = RLock()
"""To be held around each import of scikit-learn, openTSNE and SciPy that is not at the top of a file."""
