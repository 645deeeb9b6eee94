"""How pages write the zoo's errors, which begin with a small letter and end without a full stop."""


def sentence(line: str) -> str:
    """Return a line as a sentence; a first word that is a name, a path or the like stays as it is."""
    if not line:
        return ""
    first = line.split(" ", 1)[0]
    start = f"{line[0].upper()}{line[1:]}" if first.isalpha() else line
    return start if start.endswith((".", "!", "?")) else f"{start}."
