"""The session of one visitor of the page: a video that is read once, labels, and files."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import EmoCLIPError, PromptError, VideoError
from ..inference.options import ReadOptions
from ..prompts import LabelText, compose
from ..video.opening import VIDEO_SUFFIXES, open_video
from .colors import LabelColors
from .copies import write_annotated, write_played

if TYPE_CHECKING:
    from ..inference.baseline import BaselineChoice
    from ..inference.stream import FaceStream
    from ..model import EmoCLIP
    from ..results.actions import FaceActions
    from ..results.records import Prediction
    from ..results.timeline import Timeline
    from ..runtime.progress import ProgressOption

__all__ = ["DOWNLOADS", "Session", "VideoResult"]

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
    "Facial actions, CSV": ".actions.csv",
    "Facial actions, heat map, PNG": ".actions.png",
}
"""What a visitor can take away, and the endings of the files."""


@dataclass(frozen=True)
class VideoResult:
    """What the page shows of a video; each as the command line and Python give it.

    Attributes
    ----------
    timeline : Timeline
        With actions.
    answers : list of Prediction
        Of each face over all of the video.
    actions : FaceActions
        Of the sampled frames.
    begin : float
        Seconds on the clock of the video, where what was read begins.
    """

    timeline: Timeline
    answers: list[Prediction]
    actions: FaceActions
    begin: float


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
        self.labels = list(model.labels)  # that were last used
        self.colors = LabelColors()
        self._stream: FaceStream | None = None
        self._size = (1, 1)
        self._begin = 0.0
        self.result: VideoResult | None = None

    @property
    def played(self) -> Path:
        """The video that the browser plays: H.264, upright, 960 pixels at most."""
        return self.folder / "played.mp4"

    @property
    def frame_size(self) -> tuple[int, int]:
        """Width and height of the video that was uploaded."""
        return self._size

    def read(
        self,
        upload: Path,
        start: float | None = None,
        end: float | None = None,
        progress: ProgressOption = None,
    ) -> None:
        """Find and embed the faces of a video, and keep a small copy to be played.

        `upload` isn't needed afterwards.

        Parameters
        ----------
        upload : Path
        start, end : float, optional
            Seconds between which it is read.
        progress : callable, optional

        Raises
        ------
        VideoError
            It is no video that can be read.
        EmoCLIPError
            There is no such part.
        """
        if upload.suffix.lower() not in VIDEO_SUFFIXES:
            known = ", ".join(sorted(VIDEO_SUFFIXES))
            raise VideoError(upload.name, f"is no video by its name; known are {known}")
        options = ReadOptions(start=start, end=end)
        self._stream = self.result = None
        stream = self.model.read(upload, actions=True, start=start, end=end, progress=progress)
        self._size = write_played(options.part(open_video(upload)), self.played, progress)
        self._begin = start or 0.0
        self._stream = stream

    def score(
        self,
        labels: Sequence[str],
        window: float,
        step: float,
        baseline: BaselineChoice = None,
    ) -> VideoResult:
        """Score labels on the video that was read.

        Raises
        ------
        EmoCLIPError
            Nothing was read, or the labels can't be used.
        """
        if self._stream is None:
            raise EmoCLIPError("The video isn't here any more. Load it again")
        timeline = self.model.timeline(
            self._stream, labels, window=window, step=step, actions=True, baseline=baseline
        )
        answers = self.model.classify(self._stream, labels, track="all")
        actions = self.model.actions(self._stream, baseline=baseline)
        self.result = VideoResult(timeline, answers, actions, self._begin)
        return self.result

    def usable(self, labels: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return those of the labels that the model takes, and why it refuses the others."""
        kept, reasons = [], []
        for label in dict.fromkeys(labels):
            try:
                self.model.embed_labels([*kept, label])
                kept.append(label)
            except EmoCLIPError as error:
                reasons.append(str(error))
        return kept, reasons

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
        if self.result is None:
            raise EmoCLIPError("There is nothing to save yet: load a video first")
        if ending not in DOWNLOADS.values():
            raise EmoCLIPError(f"There is no format {ending!r}")
        timeline, actions = self.result.timeline, self.result.actions
        stem = Path(timeline.source).stem or "video"
        folder = self.folder / "files"
        folder.mkdir(exist_ok=True)
        path = folder / f"{stem}{'.annotated' if ending == '.mp4' else ''}{ending}"
        if ending == ".mp4":
            write_annotated(timeline, self.played, path, self._size, self._begin)
        elif ending == ".heatmap.png":
            timeline.heatmap(path)
        elif ending == ".png":
            timeline.plot(path)
        elif ending == ".actions.png":
            actions.heatmap(path)
        elif ending == ".actions.csv":
            actions.save(path)
        else:
            timeline.save(path)
        return path

    def forget_video(self) -> None:
        """Delete the video and all files, and keep the labels' meanings."""
        self._stream = self.result = None
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(mode=0o700)

    def close(self) -> None:
        """Delete all that was kept."""
        self._stream = self.result = None
        shutil.rmtree(self.folder, ignore_errors=True)
