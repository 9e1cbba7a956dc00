"""EmoCLIP: the one object that a user needs. It joins the rooms and holds no logic of theirs."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from .batch.local import BatchEngine, in_input_order, reported
from .batch.tasks import ClipTask
from .errors import EmoCLIPError
from .inference.actions import (
    BaselineWatch,
    FrameRate,
    action_rows,
    face_actions,
    frame_rate,
    stream_actions,
)
from .inference.baseline import (
    BaselineChoice,
    BaselinePlan,
    baseline_kind,
    check_span,
    neutral_labels,
    own_plan,
    whole_reference,
)
from .inference.clips import track_clips
from .inference.explain import explain_video
from .inference.live import live_results
from .inference.options import STEP, WINDOW, ReadOptions
from .inference.people import PeopleChoice, PeopleOfVideos
from .inference.pretrained import PretrainedModel
from .inference.stream import FaceStream, TrackChoice, check_track, choose_tracks, one_face
from .inference.videos import each_video, is_batch
from .inference.windows import check_windows
from .prompts import CompoundMode, LabelEncoder, LabelSet
from .results.actions import ActionRow, FaceActions
from .results.explanation import Explanation
from .results.live import LiveResult
from .results.records import Prediction
from .results.scored_windows import TimelineRow
from .results.timeline import Timeline
from .runtime.metering import open_progress
from .runtime.processes import usable_cpus
from .selection.few_shot import FewShotReport, fit_prototypes

if TYPE_CHECKING:
    import torch
    from typing_extensions import Unpack

    from .inference.options import ClassifyKeywords, ReadKeywords, ScoreKeywords
    from .probes.probe import RegressionProbe
    from .video import LiveInput, VideoInput

__all__ = ["EmoCLIP"]

log = logging.getLogger(__name__)


class EmoCLIP(PretrainedModel):
    """Zero-shot recognition of apparent expressions in video.

    Made by :meth:`from_pretrained`. The model reads what a face shows, not what a person feels.
    Loading, saving, labels and texts are those of :class:`PretrainedModel`.

    Every method that reads videos takes the fields of :class:`ReadOptions` as keyword arguments:
    `faces`, `sampling`, `seed`, `fps`, `allow_network`, `timeout`, `start`, `end`, `progress`.
    """

    @classmethod
    def load_probe(
        cls,
        folder: str | Path,
        *,
        model: EmoCLIP | None = None,
        device: str | torch.device = "auto",
    ) -> RegressionProbe:
        """Load a probe for interviews, which ``emoclip-train ness`` made.

        Parameters
        ----------
        folder : str or Path
        model : EmoCLIP, optional
            Checked to be the encoder that the probe was trained on. None: the model that the
            probe names is loaded.
        device : str
            Of a model that is loaded.

        Raises
        ------
        CheckpointError
            The folder can't be read, or the model is another one.
        """
        from .probes.probe import load_probe

        probe = load_probe(folder)
        name = probe.config["encoder"]["name"]
        if model is None and name is not None:
            model = cls.from_pretrained(name, device=device)
        if model is not None:
            probe.use(model, folder)
        return probe

    def read(
        self,
        video: VideoInput,
        *,
        actions: bool = False,
        people: bool = False,
        **reading: Unpack[ReadKeywords],
    ) -> FaceStream:
        """Decode, detect and embed a video once, to be scored many times.

        What is returned takes the place of `video` in :meth:`classify`, :meth:`embed`,
        :meth:`timeline` and :meth:`timeline_rows`: other labels or windows then cost milliseconds.
        It holds an embedding for each sampled face, about 40 megabytes an hour.

        Parameters
        ----------
        actions : bool
            Read facial actions, too, for a timeline with `actions` or `baseline`.
        people : bool
            Find what tells persons apart, too, for a timeline with `people`.
        video, **reading
            As in :meth:`classify`. They count here; beside what is returned they are an error.

        Raises
        ------
        VideoError, EmoCLIPError
            As by :meth:`classify`.

        Examples
        --------
        >>> faces = model.read("portrait.mp4")
        >>> model.classify(faces, ["joy", "anger"]).label
        'joy'
        >>> len(model.timeline(faces, ["joy", "anger"], step=0.5))
        3
        """
        options = ReadOptions(**reading)
        return self.reader(video, options, shapes=actions, people=people).kept()

    @overload
    def classify(  # type: ignore[overload-overlap]  # a str is a sequence of str, and one video
        self,
        video: VideoInput | FaceStream,
        labels: LabelSet | None = None,
        *,
        track: int | Literal["prominent"] = "prominent",
        **options: Unpack[ClassifyKeywords],
    ) -> Prediction: ...

    @overload
    def classify(  # type: ignore[overload-overlap]
        self,
        video: VideoInput | FaceStream,
        labels: LabelSet | None = None,
        *,
        track: Literal["all"],
        **options: Unpack[ClassifyKeywords],
    ) -> list[Prediction]: ...

    @overload
    def classify(
        self,
        video: Sequence[VideoInput | FaceStream],
        labels: LabelSet | None = None,
        *,
        track: int | Literal["prominent"] = "prominent",
        **options: Unpack[ClassifyKeywords],
    ) -> list[Prediction]: ...

    @overload
    def classify(
        self,
        video: Sequence[VideoInput | FaceStream],
        labels: LabelSet | None = None,
        *,
        track: Literal["all"],
        **options: Unpack[ClassifyKeywords],
    ) -> list[list[Prediction]]: ...

    def classify(
        self,
        video: VideoInput | FaceStream | Sequence[VideoInput | FaceStream],
        labels: LabelSet | None = None,
        *,
        track: TrackChoice = "prominent",
        compound: CompoundMode = "average",
        min_score: float | None = None,
        min_quality: float = 0.0,
        multi_label: bool = False,
        **reading: Unpack[ReadKeywords],
    ) -> Any:
        """Score labels on a video.

        Parameters
        ----------
        video
            Path, bytes or binary file, folder of frames, array or tensor (T, H, W, 3) uint8, a list
            of pictures, or what :meth:`read` returned. A list of paths (or of any other of these)
            is a batch: one that can't be read gets a `Prediction` with `error` set, and the rest
            goes on.
        labels : sequence of str, or mapping of str to descriptions, optional
            Names that the prompt bank knows, any other words, or whole sentences. A mapping gives
            labels their descriptions, a text or several, for this call: ``{"smile": "The corners
            of the lips are up", "anger": None}``; None: as the bank describes it. No labels: the
            model's own set.
        track : {"prominent", "all"} or int
            The most prominent face, one prediction for each face, or the face of that number.
        compound : {"average", "concatenate"}
            Eq. 2, or the paper's baseline of joined prompts.
        min_score : float, optional
            A result whose confidence is below has `abstained` set. None: the threshold that was
            calibrated with the model. 0: never abstain.
        min_quality : float
            In [0, 1]. Frames in which the face is seen less well are left out, see
            :class:`FaceQuality`; over time, windows in which it is so in the mean have no scores.
        multi_label : bool
            Score each label against its absence: a calibrated probability of each, so that several
            may be high, or none. Other labels change nothing. `min_score` is then the probability
            from which on a label is present, 0.5 by default. Compounds are refused: name their
            parts.
        **reading
            How the video is read: the fields of :class:`ReadOptions`.

        Returns
        -------
        Prediction
            A list of them with ``track="all"``; for a batch, a list of what one video gives.

        Raises
        ------
        VideoError
            A single video can't be read, takes longer than `timeout`, or has faces but none of the
            number `track`.
        PromptError, CheckpointError
            Labels can't be used; the model has no text tower.
        EmoCLIPError
            An option has no such value, or can't count.

        Examples
        --------
        >>> result = model.classify("portrait.mp4", labels=["happiness", "surprise", "boredom"])
        >>> result.label, result.face_found, result.n_tracks
        ('happiness', True, 1)
        >>> [r.status for r in model.classify(["portrait.mp4", "missing.mp4"])]
        ['ok', 'failed']
        """
        track, options = check_track(track), ReadOptions(**reading)
        scorer = self.scorer(labels, compound, min_score, min_quality, multi_label)

        def chosen(predictions: list[Prediction]) -> Any:
            return predictions if track == "all" else predictions[0]

        return each_video(
            video,
            options,
            lambda item, own: chosen(scorer.predictions(self.reader(item, own), track)),
            lambda name, reason: chosen([scorer.empty(name, error=reason)]),
        )

    @overload
    def classify_batch(
        self,
        videos: Sequence[str | os.PathLike[str]],
        labels: LabelSet | None = None,
        *,
        track: int | Literal["prominent"] = "prominent",
        workers: int | None = None,
        ordered: bool = True,
        **options: Unpack[ClassifyKeywords],
    ) -> Iterator[Prediction]: ...

    @overload
    def classify_batch(
        self,
        videos: Sequence[str | os.PathLike[str]],
        labels: LabelSet | None = None,
        *,
        track: Literal["all"],
        workers: int | None = None,
        ordered: bool = True,
        **options: Unpack[ClassifyKeywords],
    ) -> Iterator[list[Prediction]]: ...

    def classify_batch(
        self,
        videos: Sequence[str | os.PathLike[str]],
        labels: LabelSet | None = None,
        *,
        track: TrackChoice = "prominent",
        compound: CompoundMode = "average",
        min_score: float | None = None,
        min_quality: float = 0.0,
        multi_label: bool = False,
        workers: int | None = None,
        ordered: bool = True,
        **reading: Unpack[ReadKeywords],
    ) -> Iterator[Any]:
        """Score labels on many video files, decoded by several processes; yields as it goes.

        The scores are those of :meth:`classify`. A video that can't be read, or whose decoder
        crashes or hangs, gives a `Prediction` with `error` set. For a result on disk that survives
        an interruption, see :func:`emoclip_sdk.run_batch`.

        Processes are started by "spawn": a script that calls this needs the line
        ``if __name__ == "__main__":``.

        Parameters
        ----------
        videos : sequence of path
        labels, track, compound, min_score, min_quality, multi_label, **reading
            As in :meth:`classify`.
        workers : int, optional
            Processes that decode videos and find faces. None: one for each processor.
        ordered : bool
            In the order of `videos`; else as they are ready.

        Yields
        ------
        Prediction
            For each video; its `source` is the path as given. A list of them with ``track="all"``.

        Raises
        ------
        PromptError, CheckpointError, EmoCLIPError
            As by :meth:`classify`, or a detector of one's own can't be sent to processes.

        Examples
        --------
        >>> for result in model.classify_batch(["portrait.mp4", "missing.mp4"], workers=1):
        ...     print(result.source, result.status)
        portrait.mp4 ok
        missing.mp4 failed
        """
        track, options = check_track(track), ReadOptions(**reading)
        scorer = self.scorer(labels, compound, min_score, min_quality, multi_label)
        paths = [os.fsdecode(video) for video in videos]
        if not paths:
            return
        with (
            open_progress(options.progress) as hook,
            BatchEngine(
                self.encoder.frames,
                ClipTask(scorer, track),
                self.config,
                options=options,
                detector=self.detector,
                workers=min(workers or usable_cpus(), len(paths)),
            ) as engine,
        ):
            results = engine(paths)
            if hook is not None:
                results = reported(results, hook, paths)
            for _, predictions in in_input_order(results) if ordered else results:
                yield predictions if track == "all" else predictions[0]

    def embed(
        self,
        video: VideoInput | FaceStream | Sequence[VideoInput | FaceStream],
        *,
        track: int | Literal["prominent"] = "prominent",
        **reading: Unpack[ReadKeywords],
    ) -> NDArray[np.float32]:
        """Embed a video: (D,) float32, unnormalized; a list of N gives (N, D).

        The clips of a long video are averaged. NaN where there is no face and, in a list, where a
        video can't be read (which is logged).

        Parameters
        ----------
        video, track, **reading
            As in :meth:`classify`; one face of each video.

        Raises
        ------
        VideoError, EmoCLIPError
            As by :meth:`classify`.

        Examples
        --------
        >>> model.embed("portrait.mp4").shape, model.embed(["portrait.mp4"]).shape
        ((640,), (1, 640))
        """
        face, options = one_face(track, "embed"), ReadOptions(**reading)
        nothing = np.full(self.encoder.width, np.nan, np.float32)

        def one(item: Any, own: ReadOptions) -> NDArray[np.float32]:
            stream = self.reader(item, own)
            clips = track_clips(stream, self.config.sampling.n_frames, self.encoder.pool)
            tracks = choose_tracks(stream, face)
            return np.asarray(clips[tracks[0]].mean(axis=0)) if tracks else nothing

        def failed(name: str, reason: str) -> NDArray[np.float32]:
            log.warning("%s: %s", name, reason)
            return nothing

        vectors = each_video(video, options, one, failed)
        if isinstance(vectors, list):
            return np.stack(vectors) if vectors else np.zeros((0, self.encoder.width), np.float32)
        return vectors

    @overload
    def timeline(  # type: ignore[overload-overlap]
        self,
        video: VideoInput | FaceStream,
        labels: LabelSet | None = None,
        *,
        window: float = WINDOW,
        step: float = STEP,
        actions: bool = False,
        baseline: BaselineChoice = None,
        people: PeopleChoice = False,
        **options: Unpack[ClassifyKeywords],
    ) -> Timeline: ...

    @overload
    def timeline(
        self,
        video: Sequence[VideoInput | FaceStream],
        labels: LabelSet | None = None,
        *,
        window: float = WINDOW,
        step: float = STEP,
        actions: bool = False,
        baseline: BaselineChoice = None,
        people: PeopleChoice = False,
        **options: Unpack[ClassifyKeywords],
    ) -> list[Timeline]: ...

    def timeline(
        self,
        video: VideoInput | FaceStream | Sequence[VideoInput | FaceStream],
        labels: LabelSet | None = None,
        *,
        window: float = WINDOW,
        step: float = STEP,
        compound: CompoundMode = "average",
        min_score: float | None = None,
        min_quality: float = 0.0,
        multi_label: bool = False,
        actions: bool = False,
        baseline: BaselineChoice = None,
        people: PeopleChoice = False,
        **reading: Unpack[ReadKeywords],
    ) -> Timeline | list[Timeline]:
        """Score labels over time: one row per face track and window.

        Parameters
        ----------
        window, step : float
            Length and distance of windows in seconds: 2 and 1. A window longer than the model's
            span is thinned to its number of frames.
        actions : bool
            Average facial actions, head pose and gaze over each window, too.
        baseline : {"auto"}, (float, float) or a video, optional
            The person's own neutral face, from which rows then say what differs: the most neutral
            half second of each face (none, where no moment is neutral), a span of seconds, or
            another video of the most prominent person. `Timeline.baselines` says what was used.
        people : bool or mapping of str to photos
            True: say which faces are the same person, in this video or in all videos of a list
            (`row.person`). Names and photos, ``{"Anna": "anna.jpg", "Ben": ["b1.jpg", "b2.jpg"]}``:
            call them so. Needs the extra ``people``. Nothing that identifies anybody is kept.
        video, labels, compound, min_score, min_quality, multi_label, **reading
            As in :meth:`classify`, with deterministic sampling.

        Returns
        -------
        Timeline
            For a batch a list of them; one that can't be read has no rows and `error` set.

        Raises
        ------
        EmoCLIPError
            A window or step that is not positive and finite, or another option has no such value.
        VideoError
            A single video can't be read.

        Examples
        --------
        >>> timeline = model.timeline("portrait.mp4", ["joy", "anger"], window=1.0, step=0.5)
        >>> [(row.start, row.label) for row in timeline]
        [(0.0, 'joy'), (0.5, 'joy'), (1.0, 'joy'), (1.5, 'joy'), (2.0, 'joy')]
        """
        check_windows(window, step)
        options = ReadOptions(**reading)
        options.require_in_order("timeline")
        scorer = self.scorer(labels, compound, min_score, min_quality, multi_label)
        shapes = actions or baseline is not None
        who = PeopleOfVideos(people, self.reader)
        make_plan = self._baseline_plans(baseline, options)

        def one(item: Any, own: ReadOptions) -> Timeline:
            stream = self.reader(item, own, shapes=shapes, people=who.asked)
            scored = scorer.timeline(stream, window, step, actions, make_plan())
            who.add(stream)
            return scored

        def failed(name: str, reason: str) -> Timeline:
            who.add(None)
            return scorer.unread_timeline(name, reason, window, step)

        return who.told(each_video(video, options, one, failed))

    def timeline_rows(
        self,
        video: VideoInput | FaceStream,
        labels: LabelSet | None = None,
        *,
        window: float = WINDOW,
        step: float = STEP,
        compound: CompoundMode = "average",
        min_score: float | None = None,
        min_quality: float = 0.0,
        multi_label: bool = False,
        actions: bool = False,
        baseline: BaselineChoice = None,
        **reading: Unpack[ReadKeywords],
    ) -> Iterator[TimelineRow]:
        """Score labels over time as :meth:`timeline`, row by row while the video is read.

        However long the video, memory stays the same. Rows come in order of time, then of tracks,
        some seconds after what they are about. Parameters and errors are those of :meth:`timeline`,
        of one video; what is wrong with the video itself is raised at the first row.

        A `baseline` must be known before the rows: a span of seconds, until whose end the rows
        wait, or for a video from :meth:`read` another video. The rest is an error: the most neutral
        moment, and who is the most prominent person, are known at the end.

        Examples
        --------
        >>> for row in model.timeline_rows("portrait.mp4", ["joy", "anger"], window=1.0):
        ...     print(row.track, row.start, row.label)
        0 0.0 joy
        0 1.0 joy
        0 2.0 joy
        """
        check_windows(window, step)
        options = ReadOptions(**reading)
        options.require_in_order("timeline_rows")
        if is_batch(video):
            raise EmoCLIPError("timeline_rows takes one video: go through a list in a loop")
        kind = baseline_kind(baseline)
        if kind == "auto" or (kind == "video" and not isinstance(video, FaceStream)):
            reason = (
                "the most neutral moment of a face is known at the end of the video"
                if kind == "auto"
                else "another video counts for the most prominent face, who is known at the end"
            )
            raise EmoCLIPError(
                f"timeline_rows can't take this baseline: {reason}. Use timeline, or say a span "
                "of seconds, (start, end)"
            )
        scorer = self.scorer(labels, compound, min_score, min_quality, multi_label)
        stream = self.reader(video, options, shapes=actions or kind is not None)
        plan = self._baseline_plans(baseline, options)()
        return scorer.rows(stream, window, step, actions, plan)

    def _baseline_plans(
        self, choice: BaselineChoice, options: ReadOptions
    ) -> Callable[[], BaselinePlan | None]:
        """Return what makes the plan of a video's baselines; another video is read now."""
        kind = baseline_kind(choice)
        if kind is None:
            return lambda: None
        if kind == "auto":
            scores = self.scorer(neutral_labels(self.labels), "average", 0.0).neutral_scores
            return lambda: own_plan("auto", scores)
        if kind == "span":
            check_span(choice, options)
            return lambda: own_plan(choice)
        stream = self.reader(choice, options.whole(), shapes=True)
        other = stream.name, whole_reference(stream)
        return lambda: BaselinePlan(kind, other=other)

    @overload
    def actions(  # type: ignore[overload-overlap]
        self,
        video: VideoInput | FaceStream,
        *,
        rate: FrameRate = "sampled",
        landmarks: bool = False,
        track: TrackChoice = "all",
        baseline: BaselineChoice = None,
        people: PeopleChoice = False,
        **reading: Unpack[ReadKeywords],
    ) -> FaceActions: ...

    @overload
    def actions(
        self,
        video: Sequence[VideoInput | FaceStream],
        *,
        rate: FrameRate = "sampled",
        landmarks: bool = False,
        track: TrackChoice = "all",
        baseline: BaselineChoice = None,
        people: PeopleChoice = False,
        **reading: Unpack[ReadKeywords],
    ) -> list[FaceActions]: ...

    def actions(
        self,
        video: VideoInput | FaceStream | Sequence[VideoInput | FaceStream],
        *,
        rate: FrameRate = "sampled",
        landmarks: bool = False,
        track: TrackChoice = "all",
        baseline: BaselineChoice = None,
        people: PeopleChoice = False,
        **reading: Unpack[ReadKeywords],
    ) -> FaceActions | list[FaceActions]:
        """Read facial actions, head pose, gaze and quality: one row per face and frame.

        Actions are the blendshapes of a landmark network (MediaPipe's Face Landmarker), not of this
        model: no tower runs, and no label is needed. They are estimates, and no FACS coding.

        Parameters
        ----------
        rate : {"sampled", "all"} or float
            The frames that the model samples, every frame, or so many a second.
        landmarks : bool
            Keep the 478 landmarks of each face, too.
        track : {"all", "prominent"} or int
            Every face, the most prominent one, or the face of that number.
        baseline : {"auto"}, (float, float) or a video, optional
            The person's own neutral face, as in :meth:`timeline`. For "auto", the model's image
            tower runs, too.
        people : bool or mapping of str to photos
            Who is the same person, as in :meth:`timeline`.
        video, **reading
            As in :meth:`classify`, with deterministic sampling. What :meth:`read` returned holds
            the sampled frames, and no landmarks; it has to be read with `actions`.

        Returns
        -------
        FaceActions
            For a batch a list of them; one that can't be read has no rows and `error` set.

        Raises
        ------
        VideoError
            A single video can't be read, takes longer than `timeout`, or has faces but none of the
            number `track`.
        EmoCLIPError
            An option has no such value, or can't count.

        Examples
        --------
        >>> actions = model.actions("portrait.mp4")
        >>> row = actions.rows[0]
        >>> row.frame, row.time, row.actions["mouthSmileLeft"] > 0.7, abs(row.yaw) < 15
        (0, 0.0, True, True)
        """
        fps, options = self._action_options(rate, reading, "actions")
        track = check_track(track)
        who = PeopleOfVideos(people, self.reader)
        make_plan = self._baseline_plans(baseline, options)

        def one(item: Any, own: ReadOptions) -> FaceActions:
            plan = make_plan()
            if isinstance(item, FaceStream):
                if rate != "sampled" or landmarks:
                    raise EmoCLIPError(
                        "this video was read before: it holds the sampled frames, and no landmarks"
                    )
                stream = self.reader(item, own, shapes=True, people=who.asked)
                found = stream_actions(stream, track, plan)
                who.add(stream)
                return found
            watch = None
            if plan is not None:
                watch = BaselineWatch(plan, self.encoder.frames, self.config.sampling.rate)
            faces = self.reader.shapes(item, own, fps, people=who.asked)
            found = face_actions(faces, track, landmarks, watch)
            who.add(faces)
            return found

        def failed(name: str, reason: str) -> FaceActions:
            who.add(None)
            return FaceActions(name, error=reason)

        return who.told(each_video(video, options, one, failed))

    def actions_rows(
        self,
        video: VideoInput,
        *,
        rate: FrameRate = "sampled",
        landmarks: bool = False,
        track: int | Literal["all"] = "all",
        **reading: Unpack[ReadKeywords],
    ) -> Iterator[ActionRow]:
        """Read actions as :meth:`actions`, row by row while the video is read.

        However long the video, memory stays the same. Parameters and errors are those of
        :meth:`actions`, of one video; what is wrong with the video itself is raised at the first
        row, and a `track` that it does not have after the last one.

        Examples
        --------
        >>> rows = model.actions_rows("portrait.mp4", rate="all")
        >>> [(row.frame, row.time) for row in rows][:3]
        [(0, 0.0), (1, 0.04), (2, 0.08)]
        """
        fps, options = self._action_options(rate, reading, "actions_rows")
        if is_batch(video):
            raise EmoCLIPError("actions_rows takes one video: go through a list in a loop")
        if check_track(track) == "prominent":
            raise EmoCLIPError("who is prominent is known at the end: use actions, or a number")
        return action_rows(self.reader.shapes(video, options, fps), track, landmarks)

    def _action_options(
        self, rate: FrameRate, reading: ReadKeywords, task: str
    ) -> tuple[float | None, ReadOptions]:
        """Check options; return frames a second (None: all), and how the video is read."""
        options = ReadOptions(**reading)
        options.require_in_order(task)
        return frame_rate(rate, self.config.sampling.rate), options

    def stream(
        self,
        source: LiveInput,
        labels: LabelSet | None = None,
        *,
        window: float = WINDOW,
        step: float = 0.5,
        compound: CompoundMode = "average",
        min_score: float | None = None,
        min_quality: float = 0.0,
        **reading: Unpack[ReadKeywords],
    ) -> Generator[LiveResult, None, None]:
        """Score labels while it happens: one result for each window, with the faces in it.

        A thread takes frames when they come. Where the model is too slow, the oldest frames that
        wait are dropped and counted, so a result comes about a second after its window at most,
        plus what a few frames cost. Leave the loop to close the camera.

        Parameters
        ----------
        source : int, path or iterator
            A camera's number; a video, which is played in real time; or an iterator of frames
            (H, W, 3) uint8 RGB or of pairs (seconds, frame). Frames without a time count from when
            they come. Each must be an array of its own.
        window, step : float
            Length and distance of windows in seconds. The first result comes when the first window
            is over.
        labels, compound, min_score, min_quality, **reading
            As in :meth:`classify`, with deterministic sampling, and without `timeout`, `start`,
            `end` and `progress`.

        Raises
        ------
        EmoCLIPError
            As by :meth:`timeline`.
        VideoError
            At the first result: there is no such camera, or the video can't be read.
        """
        check_windows(window, step)
        options = ReadOptions(**reading)
        options.require_in_order("stream")
        if options.timeout is not None:
            raise EmoCLIPError("stream goes on as long as its source does: leave timeout out")
        if options.is_part:
            raise EmoCLIPError("stream plays from the beginning: leave start and end out")
        if options.progress:
            raise EmoCLIPError("each result of stream says how far it is: leave progress out")
        scorer = self.scorer(labels, compound, min_score, min_quality)
        return live_results(*self.reader.live(source, options), scorer, window, step)

    @overload
    def explain(  # type: ignore[overload-overlap]
        self,
        video: VideoInput,
        labels: LabelSet | None = None,
        *,
        track: int | Literal["prominent"] = "prominent",
        n_pictures: int = 8,
        **options: Unpack[ScoreKeywords],
    ) -> Explanation: ...

    @overload
    def explain(
        self,
        video: Sequence[VideoInput],
        labels: LabelSet | None = None,
        *,
        track: int | Literal["prominent"] = "prominent",
        n_pictures: int = 8,
        **options: Unpack[ScoreKeywords],
    ) -> list[Explanation]: ...

    def explain(
        self,
        video: VideoInput | Sequence[VideoInput],
        labels: LabelSet | None = None,
        *,
        track: int | Literal["prominent"] = "prominent",
        n_pictures: int = 8,
        compound: CompoundMode = "average",
        min_score: float | None = None,
        min_quality: float = 0.0,
        **reading: Unpack[ReadKeywords],
    ) -> Explanation | list[Explanation]:
        """Score labels on a video as :meth:`classify` does, and find out what the result rests on.

        The second about every sampled frame is scored by itself, and every frame is left out once,
        which takes some milliseconds each; the video is decoded a second time for pictures of the
        most telling faces.

        Parameters
        ----------
        n_pictures : int
            Faces to keep pictures of, for :meth:`Explanation.strip`, at most: those between which
            the scores differ.
        video, labels, track, compound, min_score, min_quality, **reading
            As in :meth:`classify`; one face of each video.

        Returns
        -------
        Explanation
            For a batch a list of them; one that can't be read has `error` set.

        Raises
        ------
        VideoError, PromptError, CheckpointError, EmoCLIPError
            As by :meth:`classify`.

        Examples
        --------
        >>> explanation = model.explain("portrait.mp4", ["joy", "anger"])
        >>> explanation.prediction.label, len(explanation.frames)
        ('joy', 21)
        >>> [frame.scores["joy"] > 0.9 for frame in explanation.top_frames(3)]  # all look alike
        [True]
        """
        face, options = one_face(track, "explain"), ReadOptions(**reading)
        scorer = self.scorer(labels, compound, min_score, min_quality)
        return each_video(
            video,
            options,
            lambda item, own: explain_video(
                item,
                face,
                options=own,
                reader=self.reader,
                scorer=scorer,
                encoder=self.encoder,
                labels=self._labels,
                n_pictures=n_pictures,
            ),
            lambda name, reason: Explanation(scorer.empty(name, error=reason)),
        )

    def fit_labels(
        self,
        videos: Sequence[VideoInput | FaceStream],
        labels: Sequence[str],
        *,
        folds: int = 5,
        fold_seed: int = 0,
        **reading: Unpack[ReadKeywords],
    ) -> FewShotReport:
        """Move labels towards your own example clips, if that helps.

        How far is chosen by cross-validation, and whether it helps is measured on clips that had
        no part in it; where it doesn't help, the labels stay as they are. Then :meth:`classify`
        and all others use the moved labels, until :meth:`unfit_labels`. What was fitted before is
        forgotten, unless this raises an error. Compounds of them don't move, and neither do labels
        without an example.

        Clips of one person or one recording resemble each other: fitted and tested on the same
        people, the gain is smaller on others than the report says.

        Parameters
        ----------
        videos : sequence
            Anything that :meth:`classify` takes. The most prominent face counts.
        labels : sequence of str
            What each of them shows; at least two different labels, with three clips of each.
        folds : int
            Parts of the cross-validation; fewer where a label has fewer clips.
        fold_seed : int
            Of the random parts.
        **reading
            As in :meth:`classify`.

        Raises
        ------
        EmoCLIPError
            Too few clips of a label show a face, or the two lists differ in length.
        PromptError
            A label can't be used.
        """
        names = list(dict.fromkeys(labels))
        if len(videos) != len(labels):
            raise EmoCLIPError(f"{len(videos)} videos and {len(labels)} labels: one label for each")
        # An encoder without what was fitted before, which is kept should anything go wrong.
        texts, _ = LabelEncoder(self.prompts, self._labels.encode_text).embed(names)
        vectors = self.embed(list(videos), **reading)
        if vectors.ndim != 2:
            raise EmoCLIPError("a list of pictures is one video: put each into a list of its own")
        report, shifts = fit_prototypes(vectors, labels, texts, names, folds=folds, seed=fold_seed)
        self._labels.fit(shifts)
        return report

    def unfit_labels(self) -> None:
        """Undo :meth:`fit_labels`: labels are their texts again."""
        self._labels.fit({})
