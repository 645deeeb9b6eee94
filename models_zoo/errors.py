"""What can go wrong in the zoo. Every message is one line that names the offending value and the remedy."""


class ZooError(Exception):
    """Any error of the zoo that a caller may meet.

    `about` names the one of `describe()`'s texts that was wrong, so that a form can say it in its place.
    """

    def __init__(self, message: str = "", *, about: str = "") -> None:
        super().__init__(message)
        self.about = about


class UnknownClassifier(ZooError):
    """No classifier has this name."""


class UnknownGroup(ZooError):
    """No branch or group of classes has this name."""


class UnknownDevice(ZooError):
    """A device was asked for on which this machine cannot compute."""


class WeightsCorrupted(ZooError):
    """A weights file or its card is missing, damaged, or does not belong to the classifier."""


class WeightsMissing(WeightsCorrupted):
    """A classifier is known, but its weights are not on this machine."""


class BadPreprocessing(ZooError):
    """Preprocessing that cannot be computed: a size, number or word out of range."""


class UnsuitableViews(ZooError):
    """Ten crops of a picture that has no margin, or a precision that this device lacks."""


class NoConfidences(ZooError):
    """A network that answers with NaN, which is no confidence."""


class OutOfMemory(ZooError):
    """Not even a single image fits into the device's memory."""


class BadImages(ZooError):
    """Images that a classifier cannot take: wrong shape or type, values outside [0, 1], unreadable files."""


class NotInEvalMode(ZooError):
    """A network in training mode: dropout and batch norm would make its confidences meaningless."""


class DatasetMissing(ZooError):
    """A data set is absent or damaged and could not be downloaded."""


class ImportRefused(ZooError):
    """A classifier of one's own that cannot be taken in: its weights, its labels, its name or its numbers."""


class DownloadFailed(ZooError):
    """Weights that could not be fetched, or that are not what was to be fetched."""
