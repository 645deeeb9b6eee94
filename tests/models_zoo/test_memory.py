"""Keeping freed memory, and telling a lack of it from other failures."""

import platform
import subprocess
import sys

import pytest
import torch

from models_zoo.memory import fitting, is_out_of_memory, keep_freed_memory

FAULTS = """
import resource, numpy
from models_zoo.memory import keep_freed_memory
def page_faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        numpy.ones(8_000_000)  # 64 MB, more than glibc ever keeps of itself
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
plain = page_faults()
assert keep_freed_memory()
page_faults()
print(plain, page_faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc hands memory back in this way")
def test_spares_the_kernel_from_clearing_the_same_pages_again_and_again():
    answer = subprocess.run(
        [sys.executable, "-c", FAULTS], env={"PYTHONPATH": "."}, capture_output=True, text=True, check=True
    )

    plain, kept = map(int, answer.stdout.split())

    assert kept < plain / 5


def test_does_no_harm_twice():
    assert keep_freed_memory() == keep_freed_memory()


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError(
            "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
        ),
        RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
    ],
)
def test_knows_a_lack_of_memory_on_every_device(error):
    assert is_out_of_memory(error)


def test_knows_the_error_that_this_torch_raises():
    with pytest.raises((RuntimeError, MemoryError)) as caught:
        torch.empty(2**50)

    assert is_out_of_memory(caught.value)


@pytest.mark.parametrize("error", [RuntimeError("shapes do not match"), ValueError("out of memory")])
def test_takes_no_other_error_for_it(error):
    assert not is_out_of_memory(error)


def test_halves_until_it_fits():
    assert fitting(1024, 10, free=10_240) == 1024
    assert fitting(1024, 10, free=10_239) == 512
    assert fitting(1024, 10**9, free=1) == 1
