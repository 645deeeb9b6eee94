"""What can go wrong in the zoo. Every message is one line that names the offending value and the remedy."""


class ZooError(Exception):
    """Any error of the zoo that a caller may meet."""


class UnknownClassifier(ZooError):
    """No classifier has this name."""


class UnknownDevice(ZooError):
    """A device was asked for on which this machine cannot compute."""


class WeightsCorrupted(ZooError):
    """A weights file or its card is missing, damaged, or does not belong to the classifier."""


class BadImages(ZooError):
    """Images that a classifier cannot take: wrong shape or type, values outside [0, 1], unreadable files."""


class NotInEvalMode(ZooError):
    """A network in training mode: dropout and batch norm would make its confidences meaningless."""


class DatasetMissing(ZooError):
    """A data set is absent or damaged and could not be downloaded."""
