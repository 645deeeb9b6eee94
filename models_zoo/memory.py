"""Memory: keep what the C library would hand back, and tell a lack of it from other failures.

A network for photographs takes and frees buffers of many megabytes in every layer. glibc returns such buffers to
the kernel at once, and the kernel clears each page anew when it is asked for it again: that costs as much time
as the arithmetic. Told to keep them, a process computes up to twice as fast and stays as large as it once was.
Importable without torch.
"""

import ctypes
import functools
import platform

# Numbers of malloc.h, with values that keep freed memory inside the process.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
KEEPING = ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, 2**31 - 1), (M_TOP_PAD, 256 * 2**20))

LACKS = ("can't allocate memory", "out of memory", "could not allocate", "cannot allocate memory")


@functools.cache
def keep_freed_memory() -> bool:
    """Tell glibc to keep freed memory for this process; whether it did. Elsewhere nothing happens.

    What the environment says (`MALLOC_MMAP_MAX_` and its kin) is overruled by the same values.
    """
    if platform.system() != "Linux" or platform.libc_ver()[0] != "glibc":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return all(mallopt(number, value) == 1 for number, value in KEEPING)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error of torch, on whatever device, says that memory was lacking."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in LACKS)


def fitting(views: int, bytes_per_view: int, free: int) -> int:
    """Return the most views, `views` halved as often as need be, that fit into so many free bytes; at least 1."""
    while views > 1 and views * bytes_per_view > free:
        views //= 2
    return views
