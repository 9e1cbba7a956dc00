"""Video files, bytes and streams.

PyAV, because it brings FFmpeg's libraries in its wheel: nothing has to be installed on the system,
and it reads time stamps, rotation, alpha and 10-bit pictures, which OpenCV's reader does not.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..errors import VideoError
from .clock import (
    MAX_FRAME_DURATION,
    FrameClock,
    continuous,
    has_time_stamps,
    microseconds,
    seconds,
)
from .color import frame_rgb
from .container import (
    decodable_stream,
    open_container,
    stated_duration,
    video_stream,
)
from .fields import Neighbors, deinterlaced, with_neighbors
from .limits import check_held, check_size, decoder_errors, error_text
from .orientation import Matrix, StreamOrientation, upright
from .packets import FrameSkipper, FrameTable, frame_table, with_lookahead
from .source import Frame, FrameFilter, RawFrame, VideoSource

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

__all__ = ["FileSource"]

log = logging.getLogger(__name__)

# Frames that a seek to a key frame must save, to be quicker than decoding on.
MIN_SEEK_FRAMES = 8
PROGRESSIVE = 1  # FFmpeg's order of fields; 0 is unknown, the others are interlaced


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
    fps : float, optional
        Frames per second of a stream without time stamps; by default what the stream says.
    demuxer : str, optional
        FFmpeg's name of the container, where its first bytes mislead.

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
        fps: float | None = None,
        demuxer: str | None = None,
    ) -> None:
        self.name = name
        self._where = where or name
        self._media = media
        self._network = self.live = network
        self._fps = fps
        self._demuxer = demuxer
        self._table: FrameTable | None = None
        self.duration: float | None = None
        if not network:  # a live address would lose its first seconds to a probe
            with decoder_errors(self._where), self._open() as container:
                self.has_clock = has_time_stamps(container)
                stream = video_stream(container, self._where)
                aspect = float(stream.sample_aspect_ratio or 1)
                width = round(stream.width * aspect) if 0.25 <= aspect <= 4 else stream.width
                check_size(width, stream.height, self._where)
                self.duration = stated_duration(container, stream)

    def decode(self, needed: FrameFilter | None = None) -> Generator[RawFrame, None, None]:
        """Yield the frames; what fails after the first frame ends the video with a warning."""
        return self.decode_from(0.0, needed)

    def decode_from(
        self, start: float, needed: FrameFilter | None = None
    ) -> Generator[RawFrame, None, None]:
        """Yield the frames from the key frame before `start` on, see :meth:`decode`."""
        with closing(self._pictures(needed, start)) as pictures:
            for (index, time, duration, shape), picture, neighbors in with_neighbors(pictures):
                to_rgb = _converter(picture, shape, neighbors, self._where)
                yield RawFrame(index, time, duration, to_rgb)

    def _pictures(
        self, needed: FrameFilter | None, start: float
    ) -> Generator[tuple[tuple[int, float, float | None, _Shape], VideoFrame], None, None]:
        """Yield index, time, duration and shape of each frame, and the frame."""
        container = self._open()
        try:
            stream = decodable_stream(container, self._where)
            clock = self._clock(container, stream)
            entered = self._enter(container, stream, clock, start)
            if entered is None:  # from the beginning, also where a seek has lost the way
                container.close()
                container = self._open()
                stream = decodable_stream(container, self._where)
                clock = self._clock(container, stream)
                entered = 0, continuous(container.demux(stream), container)
            first, from_there = entered
            table = self._table if first else None
            shapes = _Shapes(stream)
            index = first
            problem: Exception | None = None
            broken: list[Exception] = []
            packets = _until_broken(from_there, broken)
            if needed is None or self._network:  # what is live waits for no later packet
                pairs: Any = ((packet, None) for packet in packets)
            else:
                pairs = with_lookahead(packets)
            skipper = FrameSkipper()
            # PyAV before 18 doesn't tell; the first frame does.
            interlaced = getattr(stream.codec_context, "field_order", 0) > PROGRESSIVE
            for packet, following in pairs:
                is_needed = True
                # Deinterlacing looks at the frames around the one that is needed.
                if needed is not None and not interlaced:
                    begin, until = clock.predict(packet.pts), clock.predict(following)
                    is_needed = begin is None or until is None or needed(begin, until)
                skipper.prepare(packet, needed=is_needed)
                try:
                    pictures = packet.decode()
                except Exception as error:
                    # One damaged packet: the next key frame usually mends the picture.
                    problem = error
                    continue
                for picture in pictures:
                    interlaced = interlaced or picture.interlaced_frame
                    number = None if table is None else table.number(picture.pts)
                    if number is not None and number < first:
                        continue  # it leans on frames before the key frame
                    time, duration = clock.advance(picture)
                    index += skipper.skipped_before(picture.pts)
                    index = index if number is None else number
                    yield (index, time, duration, shapes.of(picture)), picture
                    index += 1
            problem = broken[0] if broken else problem
            if problem is not None:
                if index == first:
                    raise VideoError(
                        self._where, f"no frame can be decoded ({error_text(problem)})"
                    )
                log.warning(
                    "%s: damaged or cut off (%s); %d frames were read",
                    self._where,
                    error_text(problem),
                    index - first,
                )
        finally:
            container.close()

    def _enter(
        self, container: InputContainer, stream: VideoStream, clock: FrameClock, start: float
    ) -> tuple[int, Iterator[Packet[Any]]] | None:
        """Seek to the key frame before a time, and prove that it is the one.

        Returns
        -------
        number, packets
            Of the key frame, and from it on. None: decoding has to begin at the beginning.
        """
        if start <= 0:
            return 0, continuous(container.demux(stream), container)
        table = self._frame_table() if self.has_clock else None
        if table is None or table.pts is None or not stream.time_base:
            return None
        if clock.zero is None:
            clock.zero = seconds(int(table.pts[0]), stream.time_base)
        stamp = (start + clock.zero) / seconds(1, stream.time_base)
        # Two frames more: deinterlacing looks at those before.
        shown = int(np.searchsorted(table.pts, stamp, side="right")) - 3
        key = table.key_before(max(shown, 0))
        if key <= MIN_SEEK_FRAMES:
            return None
        # MPEG-TS is searched by the time of decoding, and would be entered behind the key frame:
        # so we go to the one before, and on from there without decoding.
        try:
            container.seek(int(table.pts[table.key_before(key - 1)]), stream=stream)
            packets = iter(container.demux(stream))
            for packet in packets:
                if packet.pts == table.pts[key]:
                    clock.resume(int(table.pts[key]))
                    return key, itertools.chain([packet], packets)
                if packet.is_keyframe and packet.pts is not None and packet.pts > table.pts[key]:
                    return None
        except Exception as error:  # decoding from the beginning tells what is wrong, if anything
            log.debug("%s: can't be entered at %g s (%s)", self._where, start, error)
        return None

    def sound(self) -> tuple[InputContainer, AudioStream, float] | None:
        """Open the file once more for its sound; None without any.

        Returns
        -------
        container, stream, start
            The container is the caller's to close. `start`: the time stamp, in seconds, that is
            zero on the clock of the video.

        Raises
        ------
        VideoError
            The file can't be opened.
        """
        container = self._open()
        with decoder_errors(self._where):
            sound = container.streams.best("audio")
        if sound is None or sound.codec_context is None:
            container.close()
            return None
        video = video_stream(container, self._where)
        zero = self._clock(container, video).zero
        return container, sound, zero or 0.0  # type: ignore[return-value]

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
            frames = self._fetch(table, table.pts, sorted({int(i) for i in indices}))
            if frames is not None:
                return [frames[int(i)] for i in indices]
        return super().pick(indices)

    def _frame_table(self) -> FrameTable | None:
        if self._table is None and not self._network:
            try:
                with self._open() as container:
                    stream = video_stream(container, self._where)
                    longest = int(MAX_FRAME_DURATION / seconds(1, stream.time_base or 1))
                    jumps: list[float] = []
                    packets = continuous(container.demux(stream), container, jumps)
                    table = frame_table(packets, longest)
                    # No seek finds what lies behind a jump.
                    self._table = FrameTable(table.n) if jumps else table
            except Exception:
                return None  # decoding tells what is wrong
        return self._table

    def _fetch(
        self, table: FrameTable, stamps: NDArray[np.int64], numbers: list[int]
    ) -> dict[int, Frame] | None:
        """Decode frames, in ascending order; None where they are not found where they should be."""
        if numbers[0] < 0 or numbers[-1] >= table.n:
            return None
        needed = {int(stamps[number]) for number in numbers}
        frames: dict[int, Frame] = {}
        last = -1  # the frame that came out last
        with self._open() as container:
            stream = decodable_stream(container, self._where)
            shapes, skipper = _Shapes(stream), FrameSkipper()
            clock = self._clock(container, stream)
            if clock.zero is None:
                clock.zero = seconds(int(stamps[0]), stream.time_base)
            packets = container.demux(stream)
            try:
                for goal in numbers:
                    key = table.key_before(goal)
                    if key > last + MIN_SEEK_FRAMES:
                        container.seek(int(stamps[key]), stream=stream)
                        packets = container.demux(stream)
                    while goal not in frames:
                        packet = next(packets)
                        skipper.prepare(packet, needed=packet.pts in needed)
                        for picture in packet.decode():
                            number = table.number(picture.pts)
                            # The neighbors of an interlaced frame are needed too.
                            if number is None or picture.interlaced_frame:
                                return None
                            shape = shapes.of(picture)
                            if picture.pts in needed and number not in frames:
                                time = clock.time(number, picture.pts)
                                to_rgb = _converter(picture, shape, (None, None), self._where)
                                frames[number] = RawFrame(number, time, None, to_rgb).frame()
                                size = frames[number].rgb.nbytes
                                check_held(len(needed), size, self._where)
                            last = number
                        if last > goal and goal not in frames:
                            return None
            except VideoError:
                raise
            except Exception:
                return None
        self.duration = microseconds(
            clock.time(table.n - 1, int(stamps[-1]))
            + (clock.counted(1) if not self.has_clock else seconds(table.last, stream.time_base))
        )
        return frames

    def _open(self) -> InputContainer:
        return open_container(
            self._media, self._where, network=self._network, demuxer=self._demuxer
        )

    def _clock(self, container: InputContainer, stream: VideoStream) -> FrameClock:
        # A file at an address has a length; what has none is live.
        live = self._network and not container.duration
        return FrameClock(container, stream, self._fps, live=live)


_Shape = tuple[float, Matrix]
"""Width over height of a frame's pixels, and how it is turned."""


class _Shapes:
    """How the frames of a stream are to be shown.

    Pixels are not square on DVDs, where faces would look narrow or wide. What the container says of
    them counts for the whole video; what only the stream says may change, as with broadcasts that
    go from 4:3 to 16:9.
    """

    def __init__(self, stream: VideoStream) -> None:
        self._codec = stream.codec_context
        self._orientation = StreamOrientation()
        stated = stream.sample_aspect_ratio
        self._fixed = stated if stated and stated != self._codec.sample_aspect_ratio else None

    def of(self, picture: VideoFrame) -> _Shape:
        """Return the shape of the frame that was decoded last."""
        aspect = float(self._fixed or self._codec.sample_aspect_ratio or 1)
        square = not 0.25 <= aspect <= 4 or abs(aspect - 1) <= 0.01
        return 1.0 if square else aspect, self._orientation.of(picture)


def _converter(
    picture: VideoFrame, shape: _Shape, neighbors: Neighbors, where: str
) -> Callable[[], NDArray[np.uint8]]:
    """Return what makes an upright RGB array of a frame, even after its file was closed."""

    def to_rgb() -> NDArray[np.uint8]:
        aspect, matrix = shape
        width = max(1, round(picture.width * aspect))
        check_size(width, picture.height, where)  # it may change on the way
        rgb = frame_rgb(deinterlaced(picture, neighbors), width)
        # The copy also cuts the padding of the rows, and releases the decoder's buffer.
        return upright(rgb, matrix)

    return to_rgb


def _until_broken(
    packets: Iterator[Packet[Any]], broken: list[Exception]
) -> Generator[Packet[Any], None, None]:
    """Yield packets up to an error, which is put into `broken`."""
    try:
        yield from packets
    except Exception as error:
        broken.append(error)
