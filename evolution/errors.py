"""What a caller of the engine may meet; every message is one line that names the value and the remedy."""


class EvolutionError(Exception):
    """Anything the engine refuses."""


class ParameterError(EvolutionError):
    """A parameter is of the wrong kind or out of its range."""


class GenomeError(EvolutionError):
    """A genome cannot be read: not of this format, damaged, or not a feed-forward network."""


class CheckpointError(EvolutionError):
    """A checkpoint cannot be continued: damaged, or of another run."""


class ArchiveFileError(EvolutionError):
    """An archive file cannot be read: cut short, altered, of another version, or at odds with itself."""
