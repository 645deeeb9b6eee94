"""`python -m bootstrap.tethered SIGNAL COMMAND ...`: become a command that does not outlive its parent.

On Linux the kernel sends it the signal when the parent dies, even by kill -9. Elsewhere there is no such
promise, and the command is simply run.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def tether(name: str) -> None:
    """Ask the kernel for a signal to this process when its parent dies; it survives exec."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.Signals[name]), 0, 0, 0)


if __name__ == "__main__":
    tether(sys.argv[1])
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - no shell is the point
