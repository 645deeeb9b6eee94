"""`python3 -m bootstrap COMMAND`: the door that `make` knocks at.

An old Python must be able to read this file, for it is the one that refuses it.
"""

import sys

OLDEST_PYTHON = (3, 11)


def refusal_of_python(version: "tuple[int, ...]", executable: str) -> str:
    """Return the line that refuses a Python which is too old, or nothing."""
    if tuple(version[:2]) >= OLDEST_PYTHON:
        return ""
    found = ".".join(str(part) for part in version[:3])
    return (
        f"Foolbreeder needs Python 3.11 or newer; {executable} is Python {found}. "
        "Install a newer one, or name it: make run PYTHON=/path/to/python3"
    )


def main() -> int:
    """Check the Python that runs us, then obey."""
    refusal = refusal_of_python(sys.version_info[:3], sys.executable)
    if refusal:
        print(refusal, file=sys.stderr)
        return 1
    from bootstrap.commands import obey

    return obey(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
