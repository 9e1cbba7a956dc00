"""How a video is read: one set of options for everything that reads one."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Literal, TypedDict

from ..config import FaceConfig
from ..errors import EmoCLIPError
from ..faces.small_faces import require_min_face
from ..prompts import CompoundMode
from ..runtime.progress import ProgressOption
from ..video import PartSource, SamplingMode, VideoSource, check_part

__all__ = [
    "MIN_FACE",
    "STEP",
    "WINDOW",
    "ClassifyKeywords",
    "FaceMode",
    "ReadKeywords",
    "ReadOptions",
    "ScoreKeywords",
    "face_config",
]

FaceMode = Literal["detect", "none"]

MIN_FACE = 12
"""Pixels of the smallest face that can be asked for: as MTCNN's first network sees one."""
WINDOW, STEP = 2.0, 1.0
"""Seconds of a window, and from one to the next, for everybody who does not say: what is asked in
Python, on the command line and in the page then has one answer."""


@dataclass(frozen=True)
class ReadOptions:
    """How a video is read.

    Its fields are keyword arguments of every method that reads videos:
    ``model.classify("clips/0001", fps=10, timeout=60)``. One that can't count for a video, such as
    the frame rate of a file that has its own, is an error.

    Parameters
    ----------
    faces : {"detect", "none"}, optional
        "detect": look for faces with the model's detector. "none": the frames are face crops
        already. None: as the model's config says.
    sampling : {"deterministic", "uniform", "paper"}
        "deterministic": by time, about 7 frames a second, so that the same video always gives the
        same result. "uniform": the model's number of frames, spread over the whole video. "paper":
        the reference's random window. What is scored over time takes "deterministic" only.
    seed : int
        Of the random window, with ``sampling="paper"``.
    fps : float, optional
        Frame rate of a source without a clock: a folder of frames, an array, pictures, a bare
        stream such as ``.h264``. None: 25, or what the folder's ``crop.json`` or the stream says.
    allow_network : bool
        Open network addresses (``https://``, ``rtsp://`` ...).
    timeout : float, optional
        Seconds that reading one video may take, face detection and embedding included, checked
        between frames. None: no limit; half an hour where worker processes read
        (:meth:`EmoCLIP.classify_batch`, :func:`run_batch`), which are ended even within a frame.
    start, end : float, optional
        Read a part: seconds on the clock of the file. Times of results stay those of the whole
        file, and their `duration` is where the part ends. None: from its beginning; to its end.
    min_face : float, optional
        Side of the smallest face that is looked for, in pixels of the original frame; 12 at least.
        None: faces from about a sixteenth of the frame's long side on, and smaller ones, to a
        fortieth, where none or a small one is seen. The smaller, the slower.
    progress : bool or callable, optional
        True: a bar in the terminal or the notebook, once it has taken a second. Otherwise what is
        called with a :class:`Progress` meanwhile; an error that it raises ends the call.

    Raises
    ------
    EmoCLIPError
        For values that no video could make right, before any is read.
    """

    faces: FaceMode | None = None
    sampling: SamplingMode = "deterministic"
    seed: int = 0
    fps: float | None = None
    allow_network: bool = False
    timeout: float | None = None
    start: float | None = None
    end: float | None = None
    min_face: float | None = None
    progress: ProgressOption = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.faces not in (None, "detect", "none"):
            raise EmoCLIPError(f"faces must be 'detect', 'none' or None, not {self.faces!r}")
        if self.sampling not in ("deterministic", "uniform", "paper"):
            raise EmoCLIPError(
                f"sampling must be 'deterministic', 'uniform' or 'paper', not {self.sampling!r}"
            )
        if self.seed and self.sampling != "paper":
            raise EmoCLIPError(f"seed={self.seed} counts with sampling='paper' only")
        for name, value in (("fps", self.fps), ("timeout", self.timeout)):
            if value is not None and not (value > 0 and math.isfinite(value)):
                raise EmoCLIPError(f"{name} must be a positive number, not {value}")
        self._check_min_face()
        if not (
            self.progress is None or isinstance(self.progress, bool) or callable(self.progress)
        ):
            raise EmoCLIPError(f"progress must be a function, True or False, not {self.progress!r}")
        check_part(self.start, self.end)

    def _check_min_face(self) -> None:
        pixels = self.min_face
        if pixels is None:
            return
        is_number = isinstance(pixels, int | float) and not isinstance(pixels, bool)
        if not (is_number and MIN_FACE <= pixels < math.inf):
            raise EmoCLIPError(
                f"min_face must be a number of pixels, {MIN_FACE} or more, not {pixels!r}"
            )
        if self.faces == "none":
            require_min_face(None, False, pixels)

    @property
    def is_part(self) -> bool:
        """Whether a part of the video is read."""
        return self.start is not None or self.end is not None

    def part(self, source: VideoSource) -> VideoSource:
        """Return the part of a video that is to be read."""
        return PartSource(source, self.start, self.end) if self.is_part else source

    def whole(self) -> ReadOptions:
        """Return the same options for all of another video."""
        return dataclasses.replace(self, start=None, end=None)

    def without_progress(self) -> tuple[ReadOptions, ProgressOption]:
        """Return the same options to be sent to other processes, and who wants to know of it."""
        return dataclasses.replace(self, progress=None), self.progress

    def require_in_order(self, task: str) -> None:
        """Refuse a sampling that does not go through the video in order of time.

        Raises
        ------
        EmoCLIPError
            `task` needs deterministic sampling.
        """
        if self.sampling != "deterministic":
            raise EmoCLIPError(f"{task} takes sampling='deterministic', not {self.sampling!r}")

    def require_unread(self) -> None:
        """Refuse options beside a video that :meth:`EmoCLIP.read` has read already.

        Raises
        ------
        EmoCLIPError
            An option differs from its default.
        """
        given = [
            option.name
            for option in dataclasses.fields(self)
            if option.compare and getattr(self, option.name) != option.default
        ]
        if given:
            raise EmoCLIPError(
                f"this video was read before, so {', '.join(given)} can't count: say it to read()"
            )


class ReadKeywords(TypedDict, total=False):
    """The fields of :class:`ReadOptions` as keyword arguments."""

    faces: FaceMode | None
    sampling: SamplingMode
    seed: int
    fps: float | None
    allow_network: bool
    timeout: float | None
    start: float | None
    end: float | None
    min_face: float | None
    progress: ProgressOption


class ScoreKeywords(ReadKeywords, total=False):
    """The same, and how labels are scored; see :meth:`EmoCLIP.classify`."""

    compound: CompoundMode
    min_score: float | None
    min_quality: float


class ClassifyKeywords(ScoreKeywords, total=False):
    """The same where labels may also be scored each by itself."""

    multi_label: bool


def face_config(config: FaceConfig, faces: FaceMode | None) -> FaceConfig:
    """Return how faces are found where a call says `faces`."""
    if faces is None:
        return config
    return dataclasses.replace(config, detector="none" if faces == "none" else "mtcnn")
