"""Containers (MP4, Matroska, AVI, ...) and the video stream in them, opened by PyAV."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, BinaryIO

from ..errors import VideoError
from .clock import FrameClock, microseconds, seconds
from .limits import MAX_VIDEO_PIXELS, check_size, error_text

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

__all__ = ["decodable_stream", "open_container", "stated_duration", "video_stream"]

NETWORK_TIMEOUT = 15.0  # seconds, for opening and for every read
# What holds its own pictures. A playlist (HLS, DASH, concat, SDP), a numbered series or a disc's
# index is a list of other files: content from a stranger could read ours through it. Text and
# pictures, which FFmpeg also takes for videos, are no videos here.
FORMATS = (
    "asf,avi,av1,avs,cavsvideo,dirac,dnxhd,dv,evc,flv,gif,gxf,h261,h263,h264,hevc,ingenient,ivf,"
    "live_flv,m4v,matroska,mjpeg,mov,mpeg,mpegts,mpegvideo,mxf,nsv,nut,obu,ogg,rm,swf,vc1,vc1test,"
    "png_pipe,vvc,webm,wtv,yuv4mpegpipe"
    ",aac,aiff,flac,mp3,wav"  # for the message that they are sound alone
)


def open_container(
    media: str | bytes | BinaryIO,
    where: str,
    *,
    network: bool = False,
    demuxer: str | None = None,
) -> InputContainer:
    """Open a file, content in memory or a network address.

    Parameters
    ----------
    media : str, bytes or binary file object
        A file object is read from its beginning.
    where : str
        What error messages call it.
    network : bool
        `media` is an address.
    demuxer : str, optional
        FFmpeg's name of the container, which otherwise is found out.

    Returns
    -------
    av.container.InputContainer
        The caller's to close.

    Raises
    ------
    VideoError
        It can't be opened.
    """
    import av

    options = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
    timeout = None
    file: Any = media
    if network:
        options = {"rtsp_transport": "tcp"}
        timeout = NETWORK_TIMEOUT
    elif isinstance(media, str):
        # "file:" keeps FFmpeg from reading a name such as "concat:a|b" as a protocol.
        file = "file:" + media
    else:
        options["protocol_whitelist"] = "data"  # content in memory opens no file
        file = io.BytesIO(media) if isinstance(media, bytes) else _rewound(media)
    # A tag that isn't UTF-8 is no reason to refuse a video. PyAV 19 replaces such bytes by itself.
    more: dict[str, Any] = {}
    if int(av.__version__.split(".")[0]) < 19:
        more["metadata_errors"] = "replace"
    try:
        container: InputContainer = av.open(
            file, "r", format=demuxer, options=options, timeout=timeout, **more
        )
        return container
    except Exception as error:  # FFmpeg's dozen, and what PyAV raises on damaged files
        hint = "" if network else "; the file is not a video, is damaged or is cut off"
        raise VideoError(where, f"can't be opened ({error_text(error)}){hint}") from error


def video_stream(container: InputContainer, where: str) -> VideoStream:
    """Return the stream that holds the video, never a cover picture.

    Raises
    ------
    VideoError
        There is none, its codec is unknown, or its pictures are too large.
    """
    import av
    from av.stream import Disposition

    streams = list(container.streams.video)
    moving = [s for s in streams if not s.disposition & Disposition.attached_pic]
    if not moving:
        content = "only a cover picture" if streams else "no video stream"
        raise VideoError(where, f"has {content}")
    best = container.streams.best("video")
    stream = best if best in moving else moving[0]
    if not isinstance(stream, av.VideoStream) or stream.codec_context is None:
        raise VideoError(where, "is in a video format that this FFmpeg can't decode")
    check_size(stream.width, stream.height, where)
    return stream


def decodable_stream(container: InputContainer, where: str) -> VideoStream:
    """Return :func:`video_stream` set up for decoding.

    Raises
    ------
    VideoError
        As by :func:`video_stream`.
    """
    stream = video_stream(container, where)
    # Frame threading can hang when a decode is left early and torchvision is imported.
    stream.thread_type = "SLICE"
    stream.codec_context.options = {"max_pixels": str(MAX_VIDEO_PIXELS)}
    return stream


def stated_duration(container: InputContainer, stream: VideoStream) -> float | None:
    """Return when the video ends, in seconds, as the container says; None: it says nothing.

    It need not be true.
    """
    if stream.duration and stream.time_base:
        zero = FrameClock(container, stream).zero
        first = seconds(stream.start_time or 0, stream.time_base)
        lead = 0.0 if zero is None else first - zero
        return microseconds(lead + seconds(stream.duration, stream.time_base))
    return container.duration / 1e6 if container.duration else None


def _rewound(file: BinaryIO) -> BinaryIO:
    file.seek(0)
    return file
