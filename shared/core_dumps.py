"""No core dumps: the memory of a process that handles pictures or passwords lands in no file when it crashes."""

import ctypes
import resource
import sys

_PR_SET_DUMPABLE = 4


def forbid_core_dumps() -> None:
    """For this process and, as far as the limit goes, for those that it starts.

    The limit alone does not hold where the kernel hands core dumps to a program (``core_pattern`` with a pipe), so on
    Linux the process also says that it must not be dumped, which keeps other processes of its user out of it, too.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
