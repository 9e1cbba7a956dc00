"""Scores over time, with what can be done with them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import EmoCLIPError
from ..export.annotate import annotate_video
from ..export.plots import plot_heatmap, plot_timeline
from ..export.save import save_timeline
from ..export.svg import timeline_svg
from .analysis import Episode, TrackSummary, episodes, resampled, smoothed, summary
from .event_files import as_events
from .events import Event, EventScores, event_scores
from .features import FaceFeatures, face_features
from .html import html_table
from .records import NO_FACE
from .scored_windows import ScoredWindows, TimelineRow
from .silence import silent, spoken
from .speech import Speech, Utterance
from .speech_files import SpeakerChoice, as_speech
from .synchrony import Synchrony, synchrony
from .tables import to_pandas
from .timeline_file import read_timeline

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

    from ..runtime.progress import ProgressOption
    from ..video import VideoInput

__all__ = ["Timeline"]


EventList = str | Path | Iterable[Event | tuple[float, float] | tuple[float, float, str]]

REPR_ROWS = 8
"""Rows that the text of a timeline shows."""

HTML_ROWS = 12
"""Rows that a notebook shows of a timeline."""


def _answer(row: TimelineRow) -> str:
    return row.answer or f"none of these ({row.label}?)"


def _line(row: TimelineRow) -> str:
    face = "" if row.track is None else str(row.track)
    if row.label is None:
        text = f"({row.reason or NO_FACE})"
    else:
        text = f"{_answer(row)} {row.scores[row.label]:.2f}"
    return f"{face:>6}{row.start:9.2f}{row.end:9.2f}  {text}"


@dataclass(frozen=True, repr=False)
class Timeline(ScoredWindows):
    """Scores over time: one row per face track and window, in order of tracks, then of time.

    Its attributes are those of :class:`ScoredWindows`.
    """

    def __repr__(self) -> str:
        """Return a short table: the first and the last rows."""
        head = f"<Timeline {self.source!r}: {self.error or self._size()}>"
        if not self.rows:
            return head
        lines = [_line(row) for row in self.rows]
        if len(lines) > REPR_ROWS:
            half = REPR_ROWS // 2
            hidden = len(lines) - 2 * half
            lines = [*lines[:half], f"       ({hidden} more rows)", *lines[-half:]]
        return "\n".join([head, "  face    start      end  label", *lines])

    def _repr_html_(self) -> str:
        """Return a picture of the best labels and a table of the first rows, for a notebook."""
        rows = [
            (
                "" if row.track is None else str(row.track),
                f"{row.start:.2f}",
                f"{row.end:.2f}",
                row.reason or NO_FACE if row.label is None else _answer(row),
                "" if row.label is None else f"{row.scores[row.label]:.3f}",
            )
            for row in self.rows[:HTML_ROWS]
        ]
        caption = f"{self.source}: {self.error or self._size()}"
        if len(self.rows) > HTML_ROWS:
            caption += f"; the first {HTML_ROWS} rows"
        table = html_table(caption, ("track", "start", "end", "label", "score"), rows)
        return f"<div>{timeline_svg(self)}{table}</div>"

    def _size(self) -> str:
        n, tracks = len(self.rows), len(self.tracks)
        return f"{n} row{'' if n == 1 else 's'}, {tracks} track{'' if tracks == 1 else 's'}"

    def to_pandas(self) -> pandas.DataFrame:
        """Return a data frame of :meth:`to_records`. Needs pandas."""
        return to_pandas(self.to_records())

    def summary(self) -> list[TrackSummary]:
        """Sum up each face: how long it was there, shares of time per label, mean scores.

        ``pandas.DataFrame(s.to_record() for s in timeline.summary())`` makes a table of it.
        """
        return summary(self)

    def episodes(
        self, threshold: float = 0.5, *, min_duration: float = 0.0, merge_gap: float = 0.0
    ) -> list[Episode]:
        """Find the stretches in which the score of a label is `threshold` or more.

        A window in which the model abstained counts as below. Times are as fine as the step of the
        windows. ``pandas.DataFrame(e.to_record() for e in timeline.episodes())`` makes a table.

        Parameters
        ----------
        threshold : float
            In [0, 1]. At 0.5, a label outweighs all the others together.
        min_duration : float
            Seconds; shorter episodes are left out, after merging.
        merge_gap : float
            Seconds; two episodes of a label that are no further apart become one.

        Returns
        -------
        list of Episode
            In order of tracks, then of onsets.

        Raises
        ------
        EmoCLIPError
            A value out of range.
        """
        return episodes(self, threshold, min_duration, merge_gap)

    def events(
        self,
        events: EventList,
        *,
        tier: str | None = None,
        threshold: float = 0.5,
        min_duration: float = 0.0,
        merge_gap: float = 0.0,
    ) -> list[EventScores]:
        """Sum up each face in each event, such as a trial: mean, maximum and latency per label.

        Mean and maximum of each facial action, too, if the timeline has them (``actions=True``).
        ``pandas.DataFrame(e.to_record(timeline.source) for e in ...)`` makes a table.

        Parameters
        ----------
        events : path or iterable
            A table of events, or a document of ELAN; see :func:`read_events`. Which file they name
            doesn't matter. Or :class:`Event`, or tuples (start, end) or (start, end, name), in
            seconds of the video's clock.
        tier : str, optional
            Of an ELAN document.
        threshold, min_duration, merge_gap : float
            Of the episodes that latencies lead to; as in :meth:`episodes`.

        Returns
        -------
        list of EventScores
            For each event, in their order, the faces that are on the screen then; one without
            scores where there is none, or where the event is not in the video.

        Raises
        ------
        EmoCLIPError
            The events can't be read, or a value is out of range.
        """
        return event_scores(self, as_events(events, tier), threshold, min_duration, merge_gap)

    def features(
        self,
        events: EventList | None = None,
        *,
        tier: str | None = None,
        threshold: float = 0.5,
        min_duration: float = 0.0,
        merge_gap: float = 0.0,
    ) -> list[FaceFeatures]:
        """Sum up the dynamics of each face: mean, SD, maximum, slope, episodes, share of time.

        ``pandas.DataFrame(f.to_record(timeline.source) for f in ...)`` makes a table.

        Parameters
        ----------
        events, tier
            As in :meth:`events`: a row for each face in each of them. None: of the whole video.
        threshold, min_duration, merge_gap : float
            Of the episodes that are counted; as in :meth:`episodes`.

        Returns
        -------
        list of FaceFeatures
            For each event, in their order, the faces that are on the screen then; one without
            values where there is none, or where the event is not in the video.

        Raises
        ------
        EmoCLIPError
            The events can't be read, or a value is out of range.
        """
        listed = None if events is None else as_events(events, tier)
        return face_features(self, listed, threshold, min_duration, merge_gap)

    def synchrony(
        self,
        events: EventList | None = None,
        *,
        tier: str | None = None,
        window: float = 10.0,
        max_lag: float = 3.0,
        increment: float | None = None,
    ) -> list[Synchrony]:
        """Say how two faces go together: windowed cross-correlation with lag (Boker et al. 2002).

        A window of the first face is correlated with windows of the second one that lie up to
        `max_lag` earlier or later; then the window moves on. ``pandas.DataFrame(s.to_record(
        timeline.source) for s in ...)`` makes a table.

        Parameters
        ----------
        events, tier
            As in :meth:`events`: a row for each pair, label and event, of the windows of this
            timeline that lie within it. None: of the whole video.
        window : float
            Seconds that a correlation is computed over. It has to hold four windows of this
            timeline at least; one in which either face is missing has no correlation.
        max_lag : float
            Seconds, rounded down to steps of this timeline.
        increment : float, optional
            Seconds from one window of the first face to the next. None: one step of this timeline.

        Returns
        -------
        list of Synchrony
            For each event, in their order, each pair of faces and each label.

        Raises
        ------
        EmoCLIPError
            The events can't be read, or a value is out of range.
        """
        listed = None if events is None else as_events(events, tier)
        return synchrony(self, listed, window, max_lag, increment)

    def with_speech(
        self,
        speech: str | Path | Speech | Iterable[Utterance],
        speakers: SpeakerChoice | None = None,
    ) -> Timeline:
        """Return a timeline whose rows say who speaks: `speaking`, `speaker` and `text`.

        Parameters
        ----------
        speech : path, Speech or iterable of Utterance
            A diarization (``.rttm``), subtitles (``.srt``, ``.vtt``) or a transcript of ELAN
            (``.eaf``), see :func:`read_speech`, in seconds of the video's clock.
        speakers : collection of str or mapping of int to str, optional
            Who counts; None: everybody, because nothing says which speaker is which face. A mapping
            from tracks to speakers says it: for the windows of these faces nobody else counts.

        Raises
        ------
        EmoCLIPError
            The file can't be read, or has no such speaker.
        """
        return spoken(self, as_speech(speech, speakers, self.source))

    def silent(self, max_speaking: float = 0.0) -> Timeline:
        """Return a timeline without the scores of windows in which somebody speaks.

        A mouth that talks shows no expression. These windows have the reason ``"speech"``, and
        count for nothing in :meth:`summary`, :meth:`events`, :meth:`features` and everything else.

        Parameters
        ----------
        max_speaking : float
            The share of a window, in [0, 1], up to which it counts as silent.

        Raises
        ------
        EmoCLIPError
            Nothing says who speaks (:meth:`with_speech`), or a value is out of range.
        """
        return silent(self, max_speaking)

    def resample(self, step: float) -> Timeline:
        """Return a timeline of windows of `step` seconds that follow one another without overlap.

        Scores, similarities, confidences and boxes are means over the time that windows of this
        timeline speak for. A finer step than this timeline's shows nothing new.

        Raises
        ------
        EmoCLIPError
            `step` is not positive.
        """
        return resampled(self, step)

    def smooth(self, seconds: float) -> Timeline:
        """Return a timeline with each row's scores averaged over `seconds` about its middle.

        Similarities and confidences too; rows abstain anew. Gaps stay gaps.

        Raises
        ------
        EmoCLIPError
            `seconds` is not positive.
        """
        return smoothed(self, seconds)

    def save(self, path: str | Path) -> None:
        """Write a file; the ending says which kind.

        Tables with every row (:meth:`to_records`): ``.csv``, ``.xlsx`` (extra ``excel``),
        ``.jsonl``, ``.parquet`` (extra ``parquet``). Everything (:meth:`to_dict`): ``.json``.
        The best label of each face over time, without windows in which the model abstained:
        ``.vtt`` and ``.srt`` subtitles, ``.eaf`` (ELAN), ``.TextGrid`` (Praat), ``.rttm``.

        Raises
        ------
        EmoCLIPError
            Another ending, or the file can't be written.
        """
        save_timeline(self, path)

    @classmethod
    def load(cls, path: str | Path) -> Timeline:
        """Read the ``.json`` file that :meth:`save` or ``emoclip timeline -o`` wrote.

        All but :meth:`annotate` works on it: where each face is in every frame is not in the file.

        Raises
        ------
        EmoCLIPError
            The file can't be read, or is no timeline.
        """
        return cls(**read_timeline(path))

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw the scores over time, one panel per track; returns the matplotlib figure.

        Needs the extra ``plot``. With `path` the figure is also written there.
        """
        return plot_timeline(self, path)

    def heatmap(self, path: str | Path | None = None) -> Figure:
        """Draw the scores of every label as colors over time; as :meth:`plot` otherwise."""
        return plot_heatmap(self, path)

    def annotate(
        self,
        video: VideoInput,
        path: str | Path,
        *,
        landmarks: bool = False,
        anonymize: bool = False,
        keep_faces: Collection[int] = (),
        fps: float | None = None,
        allow_network: bool = False,
        start: float | None = None,
        end: float | None = None,
        progress: ProgressOption = None,
    ) -> None:
        """Write the video with boxes, labels and a strip that shows this timeline.

        Parameters
        ----------
        video
            What the timeline was made of: a path, bytes, a folder of frames, an array or pictures.
        path : str or Path
            ``.mp4``, ``.m4v``, ``.mov``, ``.mkv`` or ``.webm``. The sound of `video` is kept.
        landmarks : bool
            Draw the landmarks of each face, too; they are found anew in every frame.
        anonymize : bool
            Blur every face that was found, also those without a score, so that nobody can be
            recognized by it. A face that was not found is not blurred, and voices stay.
        keep_faces : collection of int
            Track numbers of faces that stay as they are, with `anonymize`.
        fps, allow_network, start, end
            As the timeline was made with. Of a part only that part is written, from 0 on.
        progress : bool or callable, optional
            As in :meth:`EmoCLIP.timeline`.

        Raises
        ------
        VideoError
            The video can't be read.
        EmoCLIPError
            Another ending, the file can't be written, the timeline was loaded from a file, or
            `keep_faces` names a face that isn't there.
        """
        if self.tracks and not self.paths:
            raise EmoCLIPError(
                f"{self.source}: this timeline does not say where the faces are in every frame, as "
                "one that was loaded from a file. Make it anew from the video to annotate it"
            )
        annotate_video(
            self,
            video,
            path,
            landmarks=landmarks,
            anonymize=anonymize,
            keep_faces=keep_faces,
            fps=fps,
            allow_network=allow_network,
            start=start,
            end=end,
            progress=progress,
        )
