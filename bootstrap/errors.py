"""What stops a command of the bootstrap: one line for the person at the terminal."""


class BootstrapError(Exception):
    """Something a person can mend; the message names it and the remedy."""
