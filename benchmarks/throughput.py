"""What two cores do together: two processes of one thread each compute EfficientNet-Lite0 at the same time.

By the clock, other work on the machine slows them; in processor seconds it hardly does, while what the two take from
each other, memory above all, is in both numbers.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.measurement import Measurement, Target
from bootstrap.environment import PROJECT

CLASSIFIER = "efficientnet-lite0"
PROCESSES = 2
IMAGES = 256  # that each process computes in a round


def measure_two_processes(rounds: int) -> Iterator[Measurement]:
    """Yield images a second, of the pictures that a search breeds, with all checks and softmax."""
    command = [sys.executable, "-m", "benchmarks.throughput"]
    workers = [
        subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
        for _ in range(PROCESSES)
    ]
    try:
        _answers(workers)  # they are ready
        timed = [_round(workers) for _ in range(rounds)]
    finally:
        for worker in workers:
            worker.communicate()
    name = f"{CLASSIFIER}, two processes of one thread"
    yield Measurement(
        f"{name}: images/s of two processors",
        [PROCESSES * IMAGES * len(workers) / sum(one["processor"] for one in answers) for answers in timed],
        "{:,.1f}",
        Target(50),
    )
    yield Measurement(
        f"{name}: images/s by the clock",
        [IMAGES * len(workers) / max(one["clock"] for one in answers) for answers in timed],
        "{:,.1f}",
    )


def _round(workers: list[subprocess.Popen[str]]) -> list[dict[str, float]]:
    """Let all compute at once and return their seconds."""
    for worker in workers:
        assert worker.stdin
        worker.stdin.write("go\n")
        worker.stdin.flush()
    return _answers(workers)


def _answers(workers: list[subprocess.Popen[str]]) -> list[dict[str, float]]:
    answers = []
    for worker in workers:
        assert worker.stdout
        line = worker.stdout.readline()
        if not line:
            raise SystemExit(f"a process that computes {CLASSIFIER} ended with status {worker.wait()}")
        answers.append(json.loads(line))
    return answers


def compute() -> None:
    """Compute a round of images for every line that arrives, and answer with the seconds it took."""
    import torch

    from models_zoo.registry import load

    torch.set_num_threads(1)
    classifier = load(CLASSIFIER, "cpu")
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(IMAGES, 3, classifier.entry.height, classifier.entry.width, generator=generator)
    classifier(images[: classifier.batch_size])
    print("{}", flush=True)
    for _ in sys.stdin:
        clock, processor = time.perf_counter(), time.process_time()
        classifier(images)
        taken = {"clock": time.perf_counter() - clock, "processor": time.process_time() - processor}
        print(json.dumps(taken), flush=True)


if __name__ == "__main__":
    compute()
