"""The programs that make up a site on one machine, and supervisor's configuration that runs them.

Valkey starts first and stops last; the others start and stop together. Each is tethered to the supervisor, so
that even its sudden death leaves nothing behind (on Linux).
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bootstrap.environment import PYTHON

# glibc gives large buffers back to the kernel after each layer of a network, and the page faults that
# follow cost more than the layer; keeping the buffers makes a classifier twice to three times as fast.
KEEP_BUFFERS = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "8589934592",
    "MALLOC_TOP_PAD_": "268435456",
}
ONE_THREAD = {"OMP_NUM_THREADS": "1"}  # workers share the cores as processes; OpenMP's threads would spin
STOP_SECONDS = 15  # a worker ends the slice it is in


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program that the supervisor keeps alive."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What the site may use of this machine: processor cores and the numbers of its NVIDIA GPUs."""

    cores: int
    gpus: tuple[str, ...] = ()
    may_fork: bool = True  # macOS's own libraries crash in a forked process


def this_machine() -> Machine:
    """Look around."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Machine(cores=cores, gpus=_gpus(), may_fork=sys.platform != "darwin")


def valkey(home: Path, socket: Path) -> Program:
    """Return the embedded Valkey: broker of the workers and channel of the live pages."""
    command = (str(PYTHON), "-m", "bootstrap.valkey", str(home / "valkey"), str(socket))
    return Program(name="valkey", command=command)


def site_programs(home: Path, port: int, machine: Machine) -> list[Program]:
    """Return the web process, the workers and the scheduler."""
    schedule = ("--schedule", str(home / "scheduler"), "--pidfile", "")
    return [
        Program(
            name="web", command=_tethered("uvicorn", "fooling_web.asgi:application", *_web_options(port))
        ),
        *_run_workers(machine),
        _worker("interactive", "interactive", ("--pool", "solo"), {}),
        Program(name="scheduler", command=_tethered("celery", "-A", "fooling_web", "beat", *schedule)),
    ]


def configuration(home: Path, sockets: Path, broker: list[Program], site: list[Program]) -> str:
    """Return supervisor's configuration: its own part, then one section for each program."""
    control = sockets / "ctl.sock"  # a short name: supervisor appends its process number before it binds
    names = ",".join(program.name for program in site)
    return "\n\n".join(
        [
            _supervisor_section(home),
            f"[unix_http_server]\nfile={control}\nchmod=0700",
            "[rpcinterface:supervisor]\n"
            "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
            f"[supervisorctl]\nserverurl=unix://{control}",
            f"[group:site]\nprograms={names}\npriority=20",
            *(_program_section(home, program, priority=10) for program in broker),
            *(_program_section(home, program, priority=20) for program in site),
            "",
        ]
    )


def _gpus() -> tuple[str, ...]:
    """Return the GPUs that CUDA_VISIBLE_DEVICES allows, or else all that the driver lists."""
    if not shutil.which("nvidia-smi"):
        return ()
    if (allowed := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return tuple(filter(None, allowed.split(",")))
    listing = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True)  # noqa: S607 - found on PATH
    gpus = [line for line in listing.stdout.splitlines() if line.startswith("GPU ")]
    return tuple(str(number) for number in range(len(gpus)))


def _web_options(port: int) -> tuple[str, ...]:
    return (
        *("--host", "127.0.0.1", "--port", str(port), "--lifespan", "off"),
        *("--no-access-log", "--timeout-graceful-shutdown", "3"),
    )


def _run_workers(machine: Machine) -> list[Program]:
    """Return the workers of long runs: a pool of processes on a CPU, one process for each GPU.

    CUDA cannot be started anew after a fork, so a GPU's worker does its work itself.
    """
    if machine.gpus:
        return [
            _worker(f"runs-{gpu}", "runs", ("--pool", "solo"), {"CUDA_VISIBLE_DEVICES": gpu})
            for gpu in machine.gpus
        ]
    if not machine.may_fork:
        return [_worker("runs", "runs", ("--pool", "solo"), {})]
    processes = str(max(1, machine.cores - 1))
    return [_worker("runs", "runs", ("--pool", "prefork", "--concurrency", processes), {})]


def _worker(name: str, queue: str, pool: tuple[str, ...], environment: Mapping[str, str]) -> Program:
    options = ("-n", f"{name}@%h", "-Q", queue, *pool, "--without-gossip", "--without-mingle")
    return Program(
        name=f"worker-{name}",
        command=_tethered("celery", "-A", "fooling_web", "worker", "--loglevel", "INFO", *options),
        environment={**KEEP_BUFFERS, **ONE_THREAD, **environment},
    )


def _tethered(module: str, *arguments: str) -> tuple[str, ...]:
    python = str(PYTHON)
    return (python, "-m", "bootstrap.tethered", "SIGKILL", python, "-m", module, *arguments)


def _supervisor_section(home: Path) -> str:
    return "\n".join(
        [
            "[supervisord]",
            "nodaemon=true",
            "silent=true",
            "nocleanup=true",
            f"pidfile={home / 'supervisord.pid'}",
            f"logfile={home / 'logs' / 'supervisord.log'}",
            "logfile_maxbytes=5MB",
            "logfile_backups=3",
        ]
    )


def _program_section(home: Path, program: Program, priority: int) -> str:
    environment = ",".join(f'{name}="{value}"' for name, value in program.environment.items())
    lines = [
        f"[program:{program.name}]",
        f"command={shlex.join(program.command).replace('%', '%%')}",
        f"environment={environment}" if environment else "",
        f"priority={priority}",
        "autorestart=true",
        "startsecs=2",  # what dies sooner waits a second longer before each new try
        "startretries=1000",
        f"stopwaitsecs={STOP_SECONDS}",
        "killasgroup=true",
        "redirect_stderr=true",
        f"stdout_logfile={home}/logs/{program.name}.log",
        "stdout_logfile_maxbytes=5MB",
        "stdout_logfile_backups=3",
    ]
    return "\n".join(filter(None, lines))
