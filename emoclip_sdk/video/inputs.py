"""What a video may be given as."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING, TypeAlias, Union

import numpy as np
from numpy.typing import NDArray

from .source import VideoSource

if TYPE_CHECKING:
    import PIL.Image
    import torch

__all__ = ["LiveInput", "Picture", "VideoInput"]

# `Union`, because these are also evaluated, without torch and Pillow, and "|" joins no quoted name.
Picture: TypeAlias = Union[np.ndarray[tuple[int, int, int], np.dtype[np.uint8]], "PIL.Image.Image"]
"""One picture: (H, W, 3) uint8, or of Pillow."""

VideoInput: TypeAlias = Union[
    str,
    "os.PathLike[str]",
    bytes,
    bytearray,
    memoryview,
    IO[bytes],
    NDArray[np.uint8],
    "torch.Tensor",
    Picture,
    Sequence[Picture],
    VideoSource,
]
"""One video: a path to a video, a picture or a folder of frames; an address; the content of a file
or an open one; an array or tensor (T, H, W, 3) uint8; pictures; what ``open_video`` returned."""

LiveInput: TypeAlias = Union[  # noqa: UP007
    int, VideoInput, Iterator[NDArray[np.uint8]], Iterator[tuple[float, NDArray[np.uint8]]]
]
"""A camera's number, a video, or frames as they come, with or without their times in seconds."""
