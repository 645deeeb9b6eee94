"""How quickly a run of 1,000 classes becomes a file for people, and how much memory that takes.

An imagined run with real networks, 256 x 256 pixels in colour, a history of 20,000 individuals and 2,500 generations
is packed with everything that can be chosen, each round in a process of its own: seconds are the processor's, and
memory is the most that the process held beyond what it held before it began, when its drawing kernels were loaded.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measurement import Measurement, Target
from bootstrap.environment import PROJECT

CLASSES, INDIVIDUALS, GENERATIONS = 1000, 20_000, 2500
GROWN = 60  # generations that the networks varied, without selection
PICTURES_A_MINUTE, MEGABYTES = 2000, 150
ENCODINGS = ("cppn", "direct")


def measure_packing(rounds: int) -> Iterator[Measurement]:
    """Yield pictures a minute and core, and megabytes above idle, of networks and of pixels."""
    with tempfile.TemporaryDirectory(prefix="bench-export-") as folder:
        os.environ["FOOLING_HOME"] = folder
        for encoding in ENCODINGS:
            run = _answer("imagine", encoding)
            packed = [_answer("pack", run, folder) for _ in range(rounds)]
            yield Measurement(
                f"export, {encoding}: pictures of 256 x 256 a minute and core",
                [one["pictures"] / one["seconds"] * 60 for one in packed],
                target=Target(PICTURES_A_MINUTE),
            )
            yield Measurement(
                f"export, {encoding}: megabytes above idle",
                [one["megabytes"] for one in packed],
                target=Target(MEGABYTES, at_least=False),
            )


def _answer(*words: str) -> Any:
    command = [sys.executable, "-m", "benchmarks.packing", *words]
    done = subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours
    return json.loads(done.stdout.splitlines()[-1])


def imagine(encoding: str, classes: int = CLASSES, individuals: int = INDIVIDUALS) -> str:
    """Store a run that nobody evolved, in a database that is made if need be; return its number."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    from evolution.parameters import Parameters
    from fooling_web.runs.models import Champion, GenerationStat, Individual, Run, Takeover
    from models_zoo.registry import find

    entry = find("efficientnet-lite0")
    parameters = Parameters(encoding=encoding, channels=3, height=entry.height, width=entry.width)  # type: ignore[arg-type]
    rng = np.random.default_rng(1)
    run = Run.objects.create(
        name=f"Imagined, {encoding}",
        classifier=entry.name,
        classifier_sha256=entry.card["sha256"],
        encoding=encoding,
        parameters=parameters.to_json(),
        seed=1,
        status=Run.Status.FINISHED,
        generation=GENERATIONS,
        generations=GENERATIONS,
    )
    born = np.sort(rng.integers(0, GENERATIONS + 1, individuals))
    champions = individuals - classes  # the first of them: whoever came last holds a class
    genomes = iter(_genomes(parameters, classes, rng))
    for start in range(0, individuals, 500):
        numbers = range(start, min(start + 500, individuals))
        Individual.objects.bulk_create(
            Individual(
                run=run,
                number=number,
                generation=int(born[number]),
                parents=[number // 2] if number else [],
                top=[[number % classes, 0.9]],
                genome=genome,
                genome_hash=genome_hash,
            )
            for number in numbers
            for genome, genome_hash in [next(genomes) if number >= champions else (b"", "0" * 64)]
        )
    keys = dict(run.individuals.values_list("number", "pk"))
    changes = [(number % classes, number) for number in range(individuals)]
    tables: tuple[tuple[Any, Any], ...] = ((Takeover, changes), (Champion, changes[-classes:]))
    for model, chosen in tables:
        model.objects.bulk_create(
            [
                model(
                    run=run,
                    class_index=class_index,
                    individual_id=keys[number],
                    confidence=float(np.float32(number / individuals)),
                    generation=int(born[number]),
                    **(
                        {"taken_from": number - classes if number >= classes else None}
                        if model is Takeover
                        else {}
                    ),
                )
                for class_index, number in chosen
            ],
            batch_size=500,
        )
    GenerationStat.objects.bulk_create(
        GenerationStat(
            run=run, generation=number, median=0.5, mean=0.5, max=1, share_99=0, share_9999=0, takeovers=8,
            evaluations=400 * number, seconds=number,
        )
        for number in range(GENERATIONS + 1)
    )  # fmt: skip
    return str(run.pk)


def _genomes(parameters: Any, count: int, rng: np.random.Generator) -> Iterator[tuple[bytes, str]]:
    from evolution.encoding import encoding_for

    encoding = encoding_for(parameters)
    for _ in range(0, count, 50):  # pixels of a thousand are too many at once
        population = encoding.random(50, rng)
        for generation in range(GROWN if parameters.encoding == "cppn" else 1):
            population, _ = encoding.vary(population, generation, rng)
        yield from (encoding.written(population, row) for row in range(len(population)))


def pack(number: str, folder: str) -> dict[str, float]:
    """Pack a run with everything and say what that took."""
    from fooling_web.exports.packing import Choices
    from fooling_web.exports.packing import pack as write
    from fooling_web.runs.models import Run
    from fooling_web.runs.pictures import warm_up

    run = Run.objects.get(pk=number)
    warm_up()
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted anew
    idle, begun = _megabytes("VmRSS"), time.process_time()
    path = Path(folder, "run.zip")
    packed = write(run, path, Choices(pictures=256, tables=True, authors=False))
    seconds, peak = time.process_time() - begun, _megabytes("VmHWM")
    path.unlink()
    return {"pictures": packed.pictures, "seconds": seconds, "megabytes": peak - idle, "bytes": packed.size}


def _megabytes(name: str) -> float:
    status = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith(f"{name}:")).split()[1]) / 1024


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "fooling_web.settings"
    import django

    django.setup()
    deed, *words = sys.argv[1:]
    print(json.dumps(imagine(words[0]) if deed == "imagine" else pack(*words)))
