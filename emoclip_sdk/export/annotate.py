"""A video with its timeline drawn on it."""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import Callable, Collection
from contextlib import ExitStack, closing
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import EmoCLIPError
from ..faces.shapes import ShapeFinder
from ..runtime.metering import metered
from ..runtime.progress import ProgressOption
from ..video.decode import FileSource
from ..video.limits import error_text
from ..video.opening import open_video
from ..video.part import PartSource, check_part
from .anonymize import Anonymizer, faces_to_blur
from .files import atomic_write, check_output
from .overlay import Overlay

if TYPE_CHECKING:
    from av.container import OutputContainer

    from ..results.scored_windows import ScoredWindows
    from ..video import VideoSource

__all__ = ["VIDEOS", "Drawing", "annotate_video", "check_video_ending", "write_video"]

log = logging.getLogger(__name__)

VIDEOS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
"""Endings that can be written, and FFmpeg's names of their containers."""

_CLOCK = 90_000  # ticks of a second: any frame rate, also one that varies
_BT601, _LIMITED = 6, 1  # code points of ITU-T H.273: matrix, and FFmpeg's number of the range
_H264 = {"preset": "veryfast", "crf": "20"}
_VP9 = {"crf": "32", "b": "0", "deadline": "realtime", "cpu-used": "6", "row-mt": "1"}


class Drawing(Protocol):
    """Draws on the frames of a video."""

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height of what :meth:`draw` returns, both even."""

    def draw(self, rgb: NDArray[np.uint8], time: float) -> NDArray[np.uint8]:
        """Return a frame (H, W, 3) as it is to be written; `time` in seconds."""


def check_video_ending(path: str | Path) -> str:
    """Return FFmpeg's name of the container that a file's ending means.

    Raises
    ------
    EmoCLIPError
        It is none of `VIDEOS`.
    """
    ending = Path(path).suffix.lower()
    if ending not in VIDEOS:
        raise EmoCLIPError(f"{path}: an annotated video ends in {', '.join(VIDEOS)}")
    return VIDEOS[ending]


def annotate_video(
    timeline: ScoredWindows,
    video: Any,
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
    """Write an annotated video; see :meth:`Timeline.annotate`.

    Raises
    ------
    VideoError
        The video can't be read.
    EmoCLIPError
        Another ending, the file can't be written, it is the source itself, no part is from `start`
        to `end`, or `keep_faces` names a face that isn't there.
    """
    hidden = faces_to_blur(timeline.paths, anonymize, keep_faces)
    if anonymize and not hidden:
        log.warning("%s: no face was found that could be blurred", timeline.source)
    path = Path(path)
    check_part(start, end)
    check_video_ending(path)
    check_output(path, [video, timeline.origin])
    if hasattr(video, "read"):
        raise EmoCLIPError("annotate reads a video twice: give a path or bytes, not a file object")
    source = open_video(video, fps=fps, allow_network=allow_network)
    if start is not None or end is not None:
        source = PartSource(source, start, end)
    finder = None
    if landmarks:
        from ..faces.landmarks import FaceLandmarker

        finder = ShapeFinder(FaceLandmarker())
    begin = start or 0.0
    anonymizer = Anonymizer(hidden) if hidden else None
    write_video(
        source, path, lambda size: Overlay(timeline, size, finder, begin, anonymizer), progress
    )


def write_video(
    source: VideoSource,
    path: Path,
    make_drawing: Callable[[tuple[int, int]], Drawing],
    progress: ProgressOption = None,
) -> None:
    """Write a video anew, each frame as a drawing makes it; times and sound are kept.

    The file of a part begins at 0, with what is shown when the part begins.

    Frames go through one by one: the length of the video costs no memory.

    Parameters
    ----------
    source : VideoSource
    path : Path
        One of `VIDEOS`.
    make_drawing : callable
        Given width and height of the frames.
    progress : bool or callable, optional

    Raises
    ------
    VideoError
        The source can't be read.
    EmoCLIPError
        Another ending, or the file can't be written.
    """
    import av

    container = check_video_ending(path)
    options = {"movflags": "faststart"} if container in ("mp4", "mov") else {}
    with atomic_write(path, source.origin) as part:
        try:
            with av.open(str(part), "w", format=container, options=options) as out:
                _write(source, out, make_drawing, progress)
        except (EmoCLIPError, OSError):
            raise
        except Exception as error:  # FFmpeg's dozen, and what PyAV makes of odd numbers
            raise EmoCLIPError(f"{path}: can't be written ({error_text(error)})") from error


def _write(
    source: VideoSource,
    out: OutputContainer,
    make_drawing: Callable[[tuple[int, int]], Drawing],
    progress: ProgressOption,
) -> None:
    import av

    from ..video.sound import Sound

    with ExitStack() as opened:
        whole, begin, stop = source, 0.0, math.inf
        if isinstance(source, PartSource):
            whole, begin, stop = source.source, source.start, source.end
        frames = opened.enter_context(closing(source.frames()))
        first = next(frames)
        drawing = make_drawing((first.rgb.shape[1], first.rgb.shape[0]))
        webm = "webm" in out.format.name
        codec, encoding = ("libvpx-vp9", _VP9) if webm else ("h264", _H264)
        stream: Any = out.add_stream(codec, rate=30, options=encoding)
        stream.width, stream.height = drawing.size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, _CLOCK)
        # What FFmpeg makes of RGB. Unsaid, players would take a large picture for BT.709.
        stream.codec_context.colorspace, stream.codec_context.color_range = _BT601, _LIMITED
        sound = None
        if isinstance(whole, FileSource):
            sound = opened.enter_context(closing(Sound(whole, out, begin, stop)))
        ticks = -1
        shown = metered(
            itertools.chain([first], frames),
            progress,
            source.name,
            start=begin,
            duration=lambda: source.duration,
        )
        for frame in shown:
            picture = av.VideoFrame.from_ndarray(drawing.draw(frame.rgb, frame.time), "rgb24")
            # No two frames may have one time; a damaged file's clock may stand still.
            ticks = max(ticks + 1, round((frame.time - begin) * _CLOCK))
            picture.pts, picture.time_base = ticks, Fraction(1, _CLOCK)
            if sound is not None:
                sound.until(frame.time - begin)
            out.mux(stream.encode(picture))
        if sound is not None:
            sound.finish()
        out.mux(stream.encode())
