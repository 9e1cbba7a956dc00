"""The errors that a caller can act on. Every message says what happened, where, and what to do."""

from __future__ import annotations

__all__ = [
    "BatchError",
    "CheckpointError",
    "DatasetError",
    "EmoCLIPError",
    "HubError",
    "MissingDependencyError",
    "PromptError",
    "VideoError",
]


class EmoCLIPError(Exception):
    """Base class of all errors that emoclip_sdk raises on purpose."""


class VideoError(EmoCLIPError):
    """A video that can't be opened or decoded.

    Parameters
    ----------
    name : str
        File name or a short description of the source.
    reason : str
        What is wrong with it and, where there is something to do, what to do.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class PromptError(EmoCLIPError):
    """A prompt file or a label that can't be used."""


class CheckpointError(EmoCLIPError):
    """A checkpoint folder or file that can't be loaded or saved."""


class HubError(CheckpointError):
    """A repository on the Hub that can't be reached, found, read or written."""


class DatasetError(EmoCLIPError):
    """A dataset on disk that does not have the layout or the content it should have."""


class BatchError(EmoCLIPError):
    """Inputs or an output that a batch can't be run with."""


class MissingDependencyError(EmoCLIPError, ImportError):
    """An optional package is not installed.

    Parameters
    ----------
    package : str
        The import name that is missing.
    extra : str
        The extra of this package that brings it.
    purpose : str
        What the caller wanted to do, in the singular: the message goes on with "needs".
    """

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package '{package}'. "
            f'Install it with: pip install "emoclip_sdk[{extra}]"'
        )
