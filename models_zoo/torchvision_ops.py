"""Lets torchvision be imported beside any build of torch. Import this module before torchvision, everywhere.

A torchvision built for CUDA cannot load its compiled operators next to a torch built for the CPU, and then
fails on import, because it describes two of them without asking whether they exist. Where the compiled
operators cannot be loaded, those two get bare schemas here; the parts of torchvision written in Python then
work. `HAS_OPS` tells whether the compiled operators (`torchvision.ops.nms`, `torchvision.io`) are there.
"""

import importlib.util
from importlib.machinery import PathFinder

import torch

DESCRIBED_UNASKED = ("nms", "qnms")
SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def load_compiled_operators() -> bool:
    """Load torchvision's compiled operators without importing torchvision; return whether they are there."""
    package = importlib.util.find_spec("torchvision")
    if package is None or package.submodule_search_locations is None:
        return False
    extension = PathFinder.find_spec("_C", list(package.submodule_search_locations))
    if extension is None or extension.origin is None:
        return False
    try:
        torch.ops.load_library(extension.origin)  # type: ignore[no-untyped-call]
    except OSError:
        return False
    return True


def declare_missing_operators() -> None:
    """Declare the schemas that torchvision takes for granted."""
    for name in DESCRIBED_UNASKED:
        torch.library.define(f"torchvision::{name}", SCHEMA)


HAS_OPS = load_compiled_operators()
if not HAS_OPS:
    declare_missing_operators()
