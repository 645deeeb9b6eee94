"""The programs of a site, and the configuration that supervisor reads."""

import shlex
from pathlib import Path

import pytest
from supervisor.options import ServerOptions

from bootstrap.programs import Machine, Program, configuration, site_programs, valkey

HOME = Path("/srv/a 'first' home")
TWO_CORES = Machine(cores=2)


def worker_named(name: str, machine: Machine) -> Program:
    return next(program for program in site_programs(HOME, 8000, machine) if program.name == name)


def after(option: str, program: Program) -> str:
    return program.command[program.command.index(option) + 1]


@pytest.fixture
def read_by_supervisor(tmp_path):
    """Write the configuration for a home with an awkward name and let supervisor itself read it."""
    home = tmp_path / "a 'first' home"
    (home / "logs").mkdir(parents=True)
    broker = [valkey(home, home / "valkey.sock")]
    path = tmp_path / "supervisord.conf"
    path.write_text(configuration(home, home, broker, site_programs(home, 8000, TWO_CORES)))
    options = ServerOptions()
    options.realize(args=["-c", str(path)])
    return {group.name: group for group in options.process_group_configs}


def test_runs_web_workers_scheduler_and_broker(read_by_supervisor):
    names = {process.name for group in read_by_supervisor.values() for process in group.process_configs}

    assert names == {"valkey", "web", "worker-runs", "worker-interactive", "scheduler"}


def test_stops_the_broker_last(read_by_supervisor):
    assert read_by_supervisor["valkey"].priority < read_by_supervisor["site"].priority


def test_keeps_paths_with_spaces_and_quotes_whole(read_by_supervisor, tmp_path):
    (process,) = read_by_supervisor["valkey"].process_configs

    assert shlex.split(process.command)[-1] == f"{tmp_path}/a 'first' home/valkey.sock"
    assert process.stdout_logfile == f"{tmp_path}/a 'first' home/logs/valkey.log"


def test_restarts_every_program_that_dies(read_by_supervisor):
    processes = [process for group in read_by_supervisor.values() for process in group.process_configs]

    assert all(process.autorestart for process in processes)


def test_rotates_every_log(read_by_supervisor):
    processes = [process for group in read_by_supervisor.values() for process in group.process_configs]

    assert all(0 < process.stdout_logfile_maxbytes <= 10**7 for process in processes)
    assert all(process.redirect_stderr for process in processes)


def test_leaves_a_core_for_the_web_process():
    assert after("--concurrency", worker_named("worker-runs", Machine(cores=8))) == "7"


def test_works_on_a_single_core():
    assert after("--concurrency", worker_named("worker-runs", Machine(cores=1))) == "1"


def test_gives_each_gpu_a_worker_that_does_not_fork():
    programs = site_programs(HOME, 8000, Machine(cores=8, gpus=("0", "3")))

    workers = [program for program in programs if program.name.startswith("worker-runs")]
    assert [worker.environment["CUDA_VISIBLE_DEVICES"] for worker in workers] == ["0", "3"]
    assert [after("--pool", worker) for worker in workers] == ["solo", "solo"]


def test_does_not_fork_where_the_system_cannot():
    assert after("--pool", worker_named("worker-runs", Machine(cores=8, may_fork=False))) == "solo"


def test_gives_workers_one_thread_each():
    assert worker_named("worker-runs", TWO_CORES).environment["OMP_NUM_THREADS"] == "1"


def test_listens_on_this_machine_alone():
    web = worker_named("web", TWO_CORES)

    assert after("--host", web) == "127.0.0.1"
    assert after("--port", web) == "8000"
