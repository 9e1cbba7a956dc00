"""Budgets before work, and the one boundary around decoders."""

from __future__ import annotations

import gc
import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest

from emoclip_sdk.errors import VideoError
from emoclip_sdk.video import VideoSource, open_video
from emoclip_sdk.video.limits import check_animation, decoder_errors
from emoclip_sdk.video.source import RawFrame

AV_ERRORS = [
    kind
    for kind in vars(av.error).values()
    if isinstance(kind, type) and issubclass(kind, av.FFmpegError)
]


def raised(kind: type[BaseException]) -> BaseException:
    if issubclass(kind, av.FFmpegError):
        return kind(22, "Invalid argument", "filter graph")
    if kind is struct.error:
        return kind("unpack requires 4 bytes")
    return kind("of a library")


class Failing(VideoSource):
    """Fails in the third frame: when it is decoded, or when it is converted."""

    name = "a.mp4"

    def __init__(self, error: BaseException, converting: bool) -> None:
        self.error, self.converting = error, converting

    def decode(self, needed: Any = None) -> Iterator[RawFrame]:  # type: ignore[override]
        for i in range(3):
            if i == 2 and not self.converting:
                raise self.error
            yield RawFrame(i, i / 7, 1 / 7, lambda i=i: self.picture(i))  # type: ignore[misc]

    def picture(self, i: int) -> Any:
        if i == 2:
            raise self.error
        return np.zeros((8, 8, 3), np.uint8)


@pytest.mark.parametrize("kind", [*AV_ERRORS, IndexError, OSError, struct.error, SyntaxError])
@pytest.mark.parametrize("converting", [False, True])
def test_whatever_a_decoder_raises_is_an_error_of_ours(kind, converting) -> None:
    source = Failing(raised(kind), converting)
    for read in (source.frames, lambda: source.sample(7.0), lambda: source.pick([2])):
        with pytest.raises(VideoError, match=r"a\.mp4: (can't be decoded|.*memory)"):
            list(read())
    if not converting:
        with pytest.raises(VideoError, match="decoded|memory"):
            source.count()


def test_there_are_many_classes() -> None:
    assert len(AV_ERRORS) > 20


def test_our_errors_and_those_of_the_program_go_through() -> None:
    with pytest.raises(VideoError, match=r"^b\.mp4: no"), decoder_errors("a.mp4"):
        raise VideoError("b.mp4", "no")
    with pytest.raises(KeyboardInterrupt), decoder_errors("a.mp4"):
        raise KeyboardInterrupt
    with pytest.raises(VideoError, match="memory"), decoder_errors("a.mp4"):
        raise MemoryError


@pytest.mark.parametrize("kind", [IndexError, OSError, av.error.ArgumentError])
def test_pyav_while_it_opens_decodes_and_converts(kind, crop_video, monkeypatch) -> None:
    def fail(*arguments: Any, **options: Any) -> Any:
        raise raised(kind)

    with monkeypatch.context() as patch:
        patch.setattr(av, "open", fail)
        with pytest.raises(VideoError, match="can't be opened"):
            open_video(crop_video)
    source = open_video(crop_video)
    with monkeypatch.context() as patch:
        patch.setattr("emoclip_sdk.video.decode.FrameSkipper.prepare", fail)
        with pytest.raises(VideoError):
            list(source.frames())


def test_the_picture_as_it_is_shown_counts(tmp_path) -> None:
    from builders import write_video

    video = tmp_path / "squeezed.mp4"
    frames = np.zeros((2, 2176, 4096), np.uint8)
    options = {"preset": "ultrafast"}
    write_video(video, frames, codec="libx264", options=options, pixel_aspect=Fraction(4))
    with pytest.raises(VideoError, match="16384 x 2176"):
        open_video(video)


def test_an_animation_is_not_larger_than_its_bytes_can_be() -> None:
    check_animation(500, 1920, 1080, 5_000_000, "screen.gif")
    check_animation(100, 1920, 1080, 100_000, "flat.gif")
    with pytest.raises(VideoError, match="claims 12 pictures"):
        check_animation(12, 8192, 4096, 30_000, "a.gif")
    with pytest.raises(VideoError, match="too large"):
        check_animation(1, 65535, 1000, 10**9, "a.gif")


def test_frames_that_are_held_together(monkeypatch) -> None:
    monkeypatch.setattr("emoclip_sdk.video.limits._HELD_BYTES", 3 * 8 * 8 * 3)
    video = open_video(np.zeros((9, 8, 8, 3), np.uint8))
    assert len(video.pick([0, 1, 1, 2])) == 4
    with pytest.raises(VideoError, match="deterministic"):
        video.pick([0, 1, 2, 3])


def test_frames_are_let_go_without_the_collector(crop_video) -> None:
    """A cycle would keep each decoded frame for a while: gigabytes, of large ones."""

    def alive() -> int:
        return sum(type(item) is av.VideoFrame for item in gc.get_objects())

    gc.collect()
    before = alive()
    gc.disable()
    try:
        assert len(list(open_video(crop_video).frames())) == 50
        assert alive() - before <= 1
    finally:
        gc.enable()
