"""What a person who calls the command may meet; every message is one line with the remedy."""


class StandaloneError(Exception):
    """Anything that the command refuses."""
