"""Importing torchvision beside any build of torch."""

import subprocess
import sys


def run(script):
    return subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)


def test_lets_torchvision_be_imported():
    answer = run("import models_zoo.torchvision_ops; import torchvision; print(torchvision.__version__)")

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("0.")


def test_lets_torchvisions_networks_compute():
    answer = run(
        "import models_zoo.torchvision_ops, torch; from torchvision.models import squeezenet1_1; "
        "print(squeezenet1_1().eval()(torch.zeros(1, 3, 64, 64)).shape)"
    )

    assert answer.stdout.strip() == "torch.Size([1, 1000])", answer.stderr


def test_says_truly_whether_the_compiled_operators_are_there():
    answer = run(
        "from models_zoo.torchvision_ops import HAS_OPS; import torch, torchvision\n"
        "try: torchvision.ops.nms(torch.tensor([[0., 0., 1., 1.]]), torch.tensor([1.]), 0.5); works = True\n"
        "except (NotImplementedError, RuntimeError): works = False\n"
        "print(works is HAS_OPS)"
    )

    assert answer.stdout.strip() == "True", answer.stderr
