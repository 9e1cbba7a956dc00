"""The session of one visitor of the page: a video that is read once, labels, and files."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import EmoCLIPError, PromptError, VideoError
from ..export.annotate import write_video
from ..prompts import LabelText, compose
from ..video.opening import VIDEO_SUFFIXES, open_video

if TYPE_CHECKING:
    from ..inference.stream import FaceStream
    from ..model import EmoCLIP
    from ..results.timeline import Timeline

__all__ = ["DOWNLOADS", "Session"]

DOWNLOADS = {
    "Table, CSV": ".csv",
    "Table, JSON Lines": ".jsonl",
    "Table, Parquet": ".parquet",
    "Everything, JSON": ".json",
    "Subtitles, WebVTT": ".vtt",
    "Subtitles, SRT": ".srt",
    "ELAN": ".eaf",
    "Praat TextGrid": ".TextGrid",
    "RTTM": ".rttm",
    "Plot, PNG": ".png",
    "Heat map, PNG": ".heatmap.png",
    "Annotated video, MP4": ".mp4",
}
"""What a visitor can take away, and the endings of the files."""

_PLAYED = 960  # pixels of the longer side of the video that the browser plays


class _Smaller:
    """Frames as the browser gets them: no larger than needed, both sides even."""

    def __init__(self, size: tuple[int, int]) -> None:
        factor = min(1.0, _PLAYED / max(size))
        self.frame = size
        self.size = (_even(size[0] * factor), _even(size[1] * factor))

    def draw(self, rgb: NDArray[np.uint8], time: float) -> NDArray[np.uint8]:
        import cv2

        if (rgb.shape[1], rgb.shape[0]) == self.size:
            return rgb
        height, width = rgb.shape[:2]
        if (width, height) == self.frame:
            smaller = cv2.resize(rgb, self.size, interpolation=cv2.INTER_AREA)
            return np.asarray(smaller, dtype=np.uint8)
        # A video may change its size on the way: its pictures are fitted in, never stretched.
        scale = min(self.size[0] / width, self.size[1] / height)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        left, top = ((self.size[i] - size[i]) // 2 for i in (0, 1))
        fitted = np.zeros((self.size[1], self.size[0], 3), np.uint8)
        fitted[top : top + size[1], left : left + size[0]] = cv2.resize(
            rgb, size, interpolation=cv2.INTER_AREA
        )
        return fitted


class Session:
    """One visitor's video and labels. Nothing of it outlives :meth:`close`.

    Parameters
    ----------
    model : EmoCLIP
        Its bank is copied: what a visitor describes is seen by nobody else.
    root : Path
        A folder of the session's own is made in it.
    """

    def __init__(self, model: EmoCLIP, root: Path) -> None:
        self._base = model
        self._described: dict[str, list[str]] = {}
        self._compounds: dict[str, dict[str, float]] = {}
        self.model = model.with_prompts()
        # The name can't be guessed: the address of a file is the right to see it.
        self.folder = Path(tempfile.mkdtemp(prefix="session-", dir=root))
        self._stream: FaceStream | None = None
        self._size = (1, 1)
        self.timeline: Timeline | None = None

    @property
    def played(self) -> Path:
        """The video that the browser plays: H.264, upright, 960 pixels at most."""
        return self.folder / "played.mp4"

    @property
    def frame_size(self) -> tuple[int, int]:
        """Width and height of the video that was uploaded."""
        return self._size

    def read(self, upload: Path) -> None:
        """Find and embed the faces of a video, and keep a small copy to be played.

        `upload` isn't needed afterwards.

        Raises
        ------
        VideoError
            It is no video that can be read.
        """
        if upload.suffix.lower() not in VIDEO_SUFFIXES:
            known = ", ".join(sorted(VIDEO_SUFFIXES))
            raise VideoError(upload.name, f"is no video by its name; known are {known}")
        self._stream = self.timeline = None
        stream = self.model.read(upload)
        drawings: list[_Smaller] = []

        def drawing(size: tuple[int, int]) -> _Smaller:
            drawings.append(_Smaller(size))
            return drawings[0]

        write_video(open_video(upload), self.played, drawing)
        self._size = drawings[0].frame
        self._stream = stream

    def score(self, labels: Sequence[str], window: float, step: float) -> Timeline:
        """Score labels on the video that was read.

        Raises
        ------
        EmoCLIPError
            Nothing was read, or the labels can't be used.
        """
        if self._stream is None:
            raise EmoCLIPError("The video isn't here any more. Load it again")
        self.timeline = self.model.timeline(self._stream, labels, window=window, step=step)
        return self.timeline

    def text(self, label: str) -> LabelText:
        """Return what a label means to the model."""
        return compose(self.model.prompts, label)

    def describe(self, label: str, descriptions: Sequence[str]) -> None:
        """Give a label words of one's own; without any, it means what it meant before.

        Raises
        ------
        PromptError
            The words can't be used.
        """
        described = {known: texts for known, texts in self._described.items() if known != label}
        if descriptions:
            described[label] = list(descriptions)
        self._use(described, self._compounds)

    def add_compound(self, name: str, parts: Sequence[str], weights: str = "") -> str:
        """Make a compound (eq. 2) and return its name.

        Parameters
        ----------
        name : str
            Empty: the parts, joined.
        parts : sequence of str
        weights : str
            A number for each part, separated by blanks or commas. Empty: all alike.

        Raises
        ------
        PromptError
            Fewer than two parts, or the weights don't fit them.
        """
        if len(parts) < 2:
            raise PromptError("A compound needs two parts or more")
        numbers = weights.replace(",", " ").split() or ["1"] * len(parts)
        if len(numbers) != len(parts):
            raise PromptError(f"{len(parts)} parts need {len(parts)} weights, not {len(numbers)}")
        try:
            weighted = {p: float(n) for p, n in zip(parts, numbers, strict=True)}
        except ValueError:
            raise PromptError(f"{weights!r} are not weights: write numbers, as in 2, 1") from None
        name = name.strip() or " + ".join(parts)
        self._use(self._described, {**self._compounds, name: weighted})
        return name

    def _use(self, described: dict[str, list[str]], compounds: dict[str, dict[str, float]]) -> None:
        model = self._base.with_prompts()
        for label, texts in described.items():
            model.add_label(label, texts)
        for name, parts in compounds.items():
            model.add_compound(name, parts)
        self.model, self._described, self._compounds = model, described, compounds

    def save(self, ending: str) -> Path:
        """Write the timeline to a file of the session, one of `DOWNLOADS`.

        Raises
        ------
        EmoCLIPError
            Nothing was scored, there is no such format, or a package for it is missing.
        """
        if self.timeline is None:
            raise EmoCLIPError("There is nothing to save yet: load a video first")
        if ending not in DOWNLOADS.values():
            raise EmoCLIPError(f"There is no format {ending!r}")
        stem = Path(self.timeline.source).stem or "video"
        folder = self.folder / "files"
        folder.mkdir(exist_ok=True)
        path = folder / f"{stem}{'.annotated' if ending == '.mp4' else ''}{ending}"
        if ending == ".mp4":
            self._annotate(path)
        elif ending == ".heatmap.png":
            self.timeline.heatmap(path)
        elif ending == ".png":
            self.timeline.plot(path)
        else:
            self.timeline.save(path)
        return path

    def forget_video(self) -> None:
        """Delete the video and all files, and keep the labels' meanings."""
        self._stream = self.timeline = None
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(mode=0o700)

    def close(self) -> None:
        """Delete all that was kept."""
        self._stream = self.timeline = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def _annotate(self, path: Path) -> None:
        assert self.timeline is not None
        played = _Smaller(self._size).size
        scale = np.array([played[0] / self._size[0], played[1] / self._size[1]] * 2)
        paths = {
            track: dataclasses.replace(face_path, boxes=face_path.boxes * scale)
            for track, face_path in self.timeline.paths.items()
        }
        dataclasses.replace(self.timeline, paths=paths).annotate(self.played, path)


def _even(side: float) -> int:
    return max(2, 2 * round(side / 2))
