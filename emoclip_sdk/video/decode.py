"""Video files, bytes and streams.

PyAV, because it brings FFmpeg's libraries in its wheel: nothing has to be installed on the system,
and it reads time stamps, rotation, alpha and 10-bit pictures, which OpenCV's reader does not.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..errors import VideoError
from .packets import FrameTable, Skipper, frame_table, with_next
from .source import MAX_PIXELS, Frame, Needed, RawFrame, VideoSource

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

__all__ = ["FileSource"]

log = logging.getLogger(__name__)

NETWORK_TIMEOUT = 15.0  # seconds, for opening and for every read
# Seconds for which a picture may stand still. What comes later has a broken time stamp: a few bytes
# can claim centuries, every second of which a timeline would have to show.
LONGEST_STILL = 3600.0
# What holds its own pictures. A playlist (HLS, DASH, concat, SDP), a numbered series or a disc's
# index is a list of other files: content from a stranger could read ours through it. Text and
# pictures, which FFmpeg also takes for videos, are no videos here.
FORMATS = (
    "asf,avi,av1,avs,cavsvideo,dirac,dnxhd,dv,evc,flv,gif,gxf,h261,h263,h264,hevc,ingenient,ivf,"
    "live_flv,m4v,matroska,mjpeg,mov,mpeg,mpegts,mpegvideo,mxf,nsv,nut,obu,ogg,rm,swf,vc1,vc1test,"
    "vvc,webm,wtv,yuv4mpegpipe"
    ",aac,aiff,flac,mp3,wav"  # for the message that they are sound alone
)
# Frames that a jump to a key frame must save, to be quicker than decoding on.
WORTH_A_JUMP = 8
DEFAULT_FPS = 25.0  # for the rare stream that has neither time stamps nor a frame rate


class FileSource(VideoSource):
    """A video in a file, in memory, or at a network address.

    Parameters
    ----------
    media : str, bytes or binary file object
        A path or an address, the content, or something with ``read`` and ``seek``, which is read
        from its beginning.
    name : str
        For results.
    where : str, optional
        For error messages, where it differs from `name` (the full path).
    network : bool
        `media` is an address.

    Raises
    ------
    VideoError
        The content is empty, is not a video, or has no video stream.
    """

    def __init__(
        self,
        media: str | bytes | BinaryIO,
        name: str,
        *,
        where: str | None = None,
        network: bool = False,
    ) -> None:
        self.name = name
        self._where = where or name
        self._media = media
        self._network = network
        self._table: FrameTable | None = None
        self.duration: float | None = None
        if not network:  # a live address would lose its first seconds to a probe
            with self._open() as container:
                self.duration = _duration(container, self._stream(container))

    def decode(self, needed: Needed | None = None) -> Generator[RawFrame, None, None]:
        """Yield the frames; what fails after the first frame ends the video with a warning."""
        import av

        container = self._open()
        try:
            stream = self._decodable(container)
            clock = _Clock(stream)
            aspect = _pixel_aspect(stream)
            index = 0
            problem: Exception | None = None
            broken: list[Exception] = []
            packets = _until_broken(container.demux(stream), broken)
            if needed is None or self._network:  # what is live waits for no later packet
                pairs: Any = ((packet, None) for packet in packets)
            else:
                pairs = with_next(packets)
            skipper = Skipper()
            for packet, following in pairs:
                wanted = True
                if needed is not None:
                    start, end = clock.at(packet.pts), clock.at(following)
                    wanted = start is None or end is None or needed(start, end)
                skipper.look(packet, needed=wanted)
                try:
                    pictures = packet.decode()
                except (av.FFmpegError, ValueError) as error:
                    # One damaged packet: the next key frame usually mends the picture.
                    problem = error
                    continue
                for picture in pictures:
                    time, duration = clock(picture)
                    index += skipper.missing(picture.pts)
                    yield RawFrame(index, time, duration, _converter(picture, aspect))
                    index += 1
            problem = broken[0] if broken else problem
            if problem is not None:
                if index == 0:
                    raise VideoError(self._where, f"no frame can be decoded ({_text(problem)})")
                log.warning(
                    "%s: damaged or cut off (%s); %d frames were read",
                    self._where,
                    _text(problem),
                    index,
                )
        finally:
            container.close()

    def sound(self) -> tuple[InputContainer, AudioStream, float] | None:
        """Open the file once more for its sound; None without any.

        Returns
        -------
        container, stream, start
            The container is the caller's to close. `start`: time of the first frame of the video on
            the clock of the file, in seconds.

        Raises
        ------
        VideoError
            The file can't be opened.
        """
        container = self._open()
        sound = container.streams.best("audio")
        if sound is None or sound.codec_context is None:
            container.close()
            return None
        video = self._stream(container)
        start = _seconds(video.start_time or 0, video.time_base) if video.time_base else 0.0
        return container, sound, start  # type: ignore[return-value]

    def expected_count(self) -> int | None:
        """Count the packets."""
        table = self._frame_table()
        return None if table is None else table.n

    def pick(self, indices: Sequence[int] | NDArray[Any]) -> list[Frame]:
        """Return frames by number, see :meth:`VideoSource.pick`.

        Only what they need is decoded, from the key frames before them.
        """
        table = self._frame_table()
        if table is not None and table.pts is not None and len(indices):
            found = self._fetch(table, table.pts, sorted({int(i) for i in indices}))
            if found is not None:
                return [found[int(i)] for i in indices]
        return super().pick(indices)

    def _frame_table(self) -> FrameTable | None:
        import av

        if self._table is None and not self._network:
            try:
                with self._open() as container:
                    stream = self._stream(container)
                    longest = int(LONGEST_STILL / _seconds(1, stream.time_base or 1))
                    self._table = frame_table(container.demux(stream), longest)
            except (av.FFmpegError, OSError, ValueError):
                return None
        return self._table

    def _fetch(
        self, table: FrameTable, stamps: NDArray[np.int64], wanted: list[int]
    ) -> dict[int, Frame] | None:
        """Decode frames, in ascending order; None where they are not found where they should be."""
        import av

        if wanted[0] < 0 or wanted[-1] >= table.n:
            return None
        needed = {int(stamps[number]) for number in wanted}
        found: dict[int, Frame] = {}
        last = -1  # the frame that came out last
        with self._open() as container:
            stream = self._decodable(container)
            aspect, skipper = _pixel_aspect(stream), Skipper()
            packets = container.demux(stream)
            try:
                for goal in wanted:
                    key = table.key_before(goal)
                    if key > last + WORTH_A_JUMP:
                        container.seek(int(stamps[key]), stream=stream)
                        packets = container.demux(stream)
                    while goal not in found:
                        packet = next(packets)
                        skipper.look(packet, needed=packet.pts in needed)
                        for picture in packet.decode():
                            number = table.number(picture.pts)
                            if number is None:
                                return None
                            if picture.pts in needed and number not in found:
                                time = _seconds(picture.pts - int(stamps[0]), stream.time_base)
                                to_rgb = _converter(picture, aspect)
                                found[number] = RawFrame(number, time, None, to_rgb).frame()
                            last = number
                        if last > goal and goal not in found:
                            return None
            except (av.FFmpegError, OSError, ValueError, StopIteration):
                return None
        self.duration = _seconds(table.length, stream.time_base)
        return found

    def _decodable(self, container: InputContainer) -> VideoStream:
        stream = self._stream(container)
        # Frame threading can hang when a decode is left early and torchvision is imported.
        stream.thread_type = "SLICE"
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        return stream

    def _open(self) -> InputContainer:
        import av

        media: Any = self._media
        options = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
        timeout = None
        if self._network:
            options = {"rtsp_transport": "tcp"}
            timeout = NETWORK_TIMEOUT
        elif isinstance(media, str):
            # "file:" keeps FFmpeg from reading a name such as "concat:a|b" as a protocol.
            media = "file:" + media
        else:
            options["protocol_whitelist"] = "data"  # content in memory opens no file
            media = io.BytesIO(media) if isinstance(media, bytes) else _rewound(media)
        # A tag that isn't UTF-8 is no reason to refuse a video. PyAV 19 needs no telling.
        more: dict[str, Any] = {}
        if int(av.__version__.split(".")[0]) < 19:
            more["metadata_errors"] = "replace"
        try:
            container: InputContainer = av.open(
                media,
                "r",
                options=options,
                timeout=timeout,
                **more,
            )
            return container
        except (av.FFmpegError, OSError, ValueError) as error:
            hint = "" if self._network else "; the file is not a video, is damaged or is cut off"
            raise VideoError(self._where, f"can't be opened ({_text(error)}){hint}") from error

    def _stream(self, container: InputContainer) -> VideoStream:
        import av
        from av.stream import Disposition

        streams = list(container.streams.video)
        moving = [s for s in streams if not s.disposition & Disposition.attached_pic]
        if not moving:
            what = "only a cover picture" if streams else "no video stream"
            raise VideoError(self._where, f"has {what}")
        best = container.streams.best("video")
        stream = best if best in moving else moving[0]
        if not isinstance(stream, av.VideoStream) or stream.codec_context is None:
            raise VideoError(self._where, "is in a video format that this FFmpeg can't decode")
        if stream.width * stream.height > MAX_PIXELS:
            size = f"{stream.width} x {stream.height}"
            raise VideoError(
                self._where,
                f"its pictures are too large, or it is damaged ({size} pixels; 8192 x 8192 is the "
                "most that is read)",
            )
        return stream


def _converter(picture: VideoFrame, aspect: float) -> Callable[[], NDArray[np.uint8]]:
    """Return what makes an upright RGB array of a frame, even after its file was closed."""

    def to_rgb() -> NDArray[np.uint8]:
        width = max(1, round(picture.width * aspect))
        rgb = picture.to_ndarray(format="rgb24", width=width, height=picture.height)
        # FFmpeg counts the angle anticlockwise, as rot90 does. The copy also cuts the padding of
        # the rows, and releases the decoder's buffer.
        turns = round(picture.rotation / 90) % 4
        return np.ascontiguousarray(np.rot90(rgb, turns), dtype=np.uint8)

    return to_rgb


def _pixel_aspect(stream: VideoStream) -> float:
    """Width over height of a pixel; not square on DVDs, where faces would look narrow or wide."""
    aspect = float(stream.sample_aspect_ratio or 1)
    return aspect if 0.25 <= aspect <= 4 and abs(aspect - 1) > 0.01 else 1.0


def _until_broken(
    packets: Iterator[Packet[Any]], broken: list[Exception]
) -> Generator[Packet[Any], None, None]:
    """Yield packets up to an error, which is put into `broken`."""
    import av

    try:
        yield from packets
    except (av.FFmpegError, OSError, ValueError) as error:
        broken.append(error)


class _Clock:
    """Time stamps that start at 0 and never run backwards."""

    def __init__(self, stream: VideoStream) -> None:
        rate = stream.average_rate or stream.base_rate
        step = 1.0 / float(rate) if rate else 1.0 / DEFAULT_FPS
        self._step = step if step <= LONGEST_STILL else 1.0 / DEFAULT_FPS
        self._start: int | None = None
        self._base = stream.time_base
        self._skipped = 0.0
        self._last = -self._step

    def __call__(self, picture: VideoFrame) -> tuple[float, float | None]:
        base = picture.time_base
        if picture.pts is None or not base:
            time = self._last + self._step
        else:
            if self._start is None:
                self._start = picture.pts
            time = _seconds(picture.pts - self._start, base) - self._skipped
            if abs(time - self._last) > LONGEST_STILL:
                self._skipped += time - (self._last + self._step)
                time = self._last + self._step
        time = max(time, self._last, 0.0)
        self._last = time
        shown = _seconds(picture.duration, base) if picture.duration and base else None
        return time, shown if shown is None or 0 <= shown <= LONGEST_STILL else None

    def at(self, pts: int | None) -> float | None:
        """Return the time of a frame that may come; None where it can't be told yet."""
        if pts is None or self._start is None or not self._base:
            return None
        time = _seconds(pts - self._start, self._base) - self._skipped
        return time if 0 <= time <= self._last + LONGEST_STILL else None


def _duration(container: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration and stream.time_base:
        return _seconds(stream.duration, stream.time_base)
    return container.duration / 1e6 if container.duration else None


def _seconds(ticks: int, base: Any) -> float:
    # PyAV 19 has a rational type of its own in the place of Fraction.
    return float(ticks * base.numerator / base.denominator)


def _rewound(file: BinaryIO) -> BinaryIO:
    file.seek(0)
    return file


def _text(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
