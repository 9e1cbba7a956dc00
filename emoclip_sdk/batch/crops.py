"""The seam between the processes: faces are cut out in one, and embedded in another.

A worker reads a video as any :class:`~emoclip_sdk.reading.FaceReader` does, except that its
"encoder" sends the crops away and returns embeddings of width 0. What is left of the video then is
small; :func:`with_embeddings` completes it where the model is.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config import ModelConfig
from ..errors import EmoCLIPError, VideoError
from ..reading import FaceMode, FaceReader, ReadVideo, failed_name
from ..video import MTCNNDetector

__all__ = ["open_reader", "with_embeddings"]


def open_reader(
    send: Callable[[NDArray[np.uint8]], None], config: ModelConfig, faces: FaceMode | None
) -> Callable[[str], ReadVideo | str]:
    """Return the function that reads a video in a worker process.

    Parameters
    ----------
    send : callable
        Takes face crops, (N, S, S, 3) uint8, in the order of the frame embeddings. A long video
        sends them bit by bit.
    config : ModelConfig
        Of the model that embeds them.
    faces : {"mtcnn", "none"}, optional
        As in :meth:`EmoCLIP.classify`.

    Returns
    -------
    callable
        From a path to a :class:`ReadVideo` without embeddings, or to what is wrong with the video.

    Raises
    ------
    EmoCLIPError
        The face detector is not installed.
    """

    def ship(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        send(crops)
        return np.zeros((len(crops), 0), np.float32)

    reader = FaceReader(config, ship)
    if (faces or config.faces.detector) == "mtcnn":
        reader.detector = MTCNNDetector(config.faces)
        import torch

        # A face's box differs in its last digits with the number of threads.
        torch.set_num_threads(1)

    def read(path: str) -> ReadVideo | str:
        try:
            return reader(path, faces=faces)
        except VideoError as error:
            return failed_name(path, error)[1]
        except EmoCLIPError:
            raise
        except Exception as error:  # one video must not stop the rest
            if os.environ.get("EMOCLIP_DEBUG"):
                raise
            return f"unexpected {type(error).__name__}: {error} (a bug in emoclip_sdk)"

    return read


def with_embeddings(read: ReadVideo, frames: Sequence[NDArray[Any]]) -> ReadVideo:
    """Complete what `open_reader` left of a video by the embeddings of its crops.

    Parameters
    ----------
    read : ReadVideo
    frames : sequence of ndarray (n, D)
        In the order in which the crops were sent.
    """
    if not frames:
        return read
    faces = dataclasses.replace(read.faces, frames=np.concatenate(frames))
    return dataclasses.replace(read, faces=faces)
