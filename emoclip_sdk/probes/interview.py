"""From an interview to its clip embeddings: the only place where a long video becomes vectors."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import VideoError
from ..faces import TrackStats
from ..inference.clips import track_clips
from ..inference.options import ReadOptions

if TYPE_CHECKING:
    from ..inference.pretrained import PretrainedModel
    from ..inference.stream import FaceStream
    from ..video import VideoInput

__all__ = ["EmbeddedInterview", "interview_clips", "person_longest_in_view", "read_interview"]

# How far a person's face may be from where it was before, in its sides, and how much smaller.
REACH, SIZE_RATIO = 1.5, 0.5


@dataclass(frozen=True)
class EmbeddedInterview:
    """Clip embeddings of an interview, read from a file.

    Attributes
    ----------
    vectors : ndarray, (W, D)
        Unnormalized. Clips without the face are left out.
    encoder : str, optional
        Name of the model that made them.
    weights : str, optional
        Hash of its video encoder, see :meth:`Encoder.video_hash`.
    """

    vectors: NDArray[np.float32]
    encoder: str | None = None
    weights: str | None = None


def interview_clips(
    model: PretrainedModel, video: VideoInput | FaceStream, options: ReadOptions | None = None
) -> NDArray[np.float32]:
    """Embed the face that is longest in view, clip by clip, however long the video.

    Not the most prominent face, which may be an interviewer who sits nearer to the camera for a
    while: the patient is in view throughout.

    Parameters
    ----------
    model : PretrainedModel
    video
        As in :meth:`EmoCLIP.classify`.
    options : ReadOptions, optional

    Returns
    -------
    ndarray, (W, D)
        Unnormalized, in order of time; no row where there is no face.

    Raises
    ------
    VideoError
        The video can't be read.
    """
    stream = model.reader(video, options)
    clips = track_clips(stream, model.config.sampling.n_frames, model.encoder.pool)
    tracks = person_longest_in_view(stream.table.stats())
    if not tracks:
        return np.zeros((0, model.encoder.width), np.float32)
    return np.concatenate([clips[track] for track in tracks])


def person_longest_in_view(stats: Sequence[TrackStats]) -> list[int]:
    """Return the tracks of the person who is longest in view, in order of time.

    Who was out of view for more than a moment (`MAX_GAP`) comes back under a new number. In an
    interview people sit where they sat: tracks about as large and in about the same place, which
    are never there at the same time, are taken for one person.
    """
    people: list[list[TrackStats]] = []
    for track in sorted(stats, key=lambda s: (-s.n_frames, s.track)):
        for person in people:
            if all(_may_be_one(track, other) for other in person):
                person.append(track)
                break
        else:
            people.append([track])
    longest = max(people, key=lambda person: sum(t.n_frames for t in person), default=[])
    return [track.track for track in sorted(longest, key=lambda t: t.first)]


def _may_be_one(a: TrackStats, b: TrackStats) -> bool:
    apart = a.last < b.first or b.last < a.first
    small, large = sorted((a.side, b.side))
    near = abs(a.x - b.x) <= REACH * large and abs(a.y - b.y) <= REACH * large
    return apart and near and small >= SIZE_RATIO * large


def read_interview(path: str | os.PathLike[str]) -> EmbeddedInterview:
    """Read an interview that was embedded before: ``.npz`` with an array ``vectors`` (W, D).

    The strings ``model`` and ``weights``, where they are there, say which model embedded it.
    Rows that are not finite are clips without a face.

    Raises
    ------
    VideoError
        The file can't be read or holds something else.
    """
    path = Path(path)
    layout = "expected an .npz file with an array 'vectors' of shape (clips, width)"
    try:
        # Without pickles: a file from elsewhere must not be able to run code.
        with np.load(path, allow_pickle=False) as file:
            vectors = np.asarray(file["vectors"], np.float32)
            names = [str(file[key]) if key in file else None for key in ("model", "weights")]
    except FileNotFoundError:
        raise VideoError(str(path), "no such file") from None
    except KeyError:
        raise VideoError(str(path), f"has no array 'vectors': {layout}") from None
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise VideoError(str(path), f"can't be read ({error}): {layout}") from error
    if vectors.ndim != 2 or not vectors.shape[1]:
        raise VideoError(str(path), f"'vectors' has the shape {vectors.shape}: {layout}")
    return EmbeddedInterview(vectors[np.isfinite(vectors).all(axis=1)], *names)
