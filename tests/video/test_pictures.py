"""Images, animations, folders, arrays and lists of pictures."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest
from PIL import Image

from emoclip_sdk.errors import VideoError
from emoclip_sdk.video import Frame, open_video

from .conftest import HEIGHT, WIDTH, corners, gray_ramp, quadrants


def levels(frames: list[Frame]) -> list[float]:
    return [float(f.rgb.mean()) for f in frames]


def test_an_image_file_is_a_video_of_one_frame(tmp_path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(quadrants()).save(path)
    video = open_video(path)
    assert (video.name, video.duration) == ("a.png", 0.0)
    for frames in (list(video.frames()), list(video.sample(7))):
        assert [(f.index, f.time) for f in frames] == [(0, 0.0)]
        assert corners(frames[0].rgb) == "rgbw"


def test_a_photo_is_turned_as_exif_says(tmp_path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise by 90 degrees
    path = tmp_path / "phone.jpg"
    Image.fromarray(quadrants()).save(path, exif=exif, quality=95)
    rgb = next(open_video(path).frames()).rgb
    assert rgb.shape == (WIDTH, HEIGHT, 3)
    assert corners(rgb) == "brwg"


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [("L", 77, 77), ("I;16", 77 * 257, 77), ("1", 255, 255), ("P", 0, 0)],
)
def test_images_of_every_mode(tmp_path, mode, value, expected) -> None:
    path = tmp_path / "a.png"
    dtype = np.uint16 if mode == "I;16" else np.uint8
    image = Image.fromarray(np.full((5, 7), value, dtype))
    (image if mode == "I;16" else image.convert(mode)).save(path)
    rgb = next(open_video(path).frames()).rgb
    assert rgb.shape == (5, 7, 3)
    assert np.all(rgb == expected)


@pytest.mark.parametrize(
    ("dtype", "values", "expected"),
    [
        (np.float32, [0, 0.2, 1], [0, 51, 255]),  # 0..1
        (np.float32, [0, 51, 255], [0, 51, 255]),
        (np.float32, [0, np.nan, 0.2], [0, 0, 51]),
        (np.int32, [0, 51 * 257, 65535], [0, 51, 255]),
        (np.uint16, [0, 51, 200], [0, 0, 1]),  # a dark picture stays dark
    ],
)
def test_gray_of_more_than_8_bits(tmp_path, dtype, values, expected) -> None:
    path = tmp_path / "a.tif"
    Image.fromarray(np.array([values], dtype)).save(path)
    assert next(open_video(path).frames()).rgb[0, :, 1].tolist() == expected


def test_a_palette_with_alpha_is_read_without_a_warning(tmp_path) -> None:
    path = tmp_path / "a.png"
    rgba = np.dstack([quadrants(), np.full((HEIGHT, WIDTH), 200, np.uint8)])
    rgba[:9, :9, 3] = 0
    Image.fromarray(rgba).quantize(8).save(path)
    with Image.open(path) as image:
        assert isinstance(image.info["transparency"], bytes)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert corners(next(open_video(path).frames()).rgb) == "rgbw"


@pytest.mark.parametrize("suffix", ["gif", "png"])
@pytest.mark.parametrize("disposal", [0, 1, 2])
def test_frames_that_hold_only_what_changes(tmp_path, suffix, disposal) -> None:
    """Each of the two changes is drawn on what the frame before leaves behind."""
    parts = [Image.new("RGBA", (32, 32), "red"), *[Image.new("RGBA", (32, 32))] * 2]
    parts = [part.copy() for part in parts]
    parts[1].paste((0, 255, 0, 255), (0, 0, 16, 16))
    parts[2].paste((0, 0, 255, 255), (16, 16, 32, 32))
    path = tmp_path / f"a.{suffix}"
    more = {"blend": 1} if suffix == "png" else {}
    # Disposal 2 of GIF is 1 of PNG: cleared. PNG's 0 is to be left as it is.
    code = disposal if suffix == "gif" else int(disposal == 2)
    parts[0].save(
        path, save_all=True, append_images=parts[1:], duration=100, disposal=[0, code, 0], **more
    )
    frames = [frame.rgb for frame in open_video(path).frames()]
    assert [len(frames), frames[1][4, 4].tolist(), frames[1][28, 28].tolist()] == [
        3,
        [0, 255, 0],
        [255, 0, 0],
    ]
    assert frames[2][28, 28].tolist() == [0, 0, 255]
    # What is cleared is no longer green.
    assert (frames[2][4, 4].tolist() == [0, 255, 0]) == (disposal != 2)


def test_the_default_picture_of_an_apng_is_no_frame(tmp_path) -> None:
    path = tmp_path / "a.png"
    first, *rest = [Image.fromarray(quadrants(level)) for level in (200, 0, 60)]
    first.save(path, save_all=True, append_images=rest, duration=200, default_image=True)
    frames = list(open_video(path).frames())
    assert [(frame.index, round(frame.time, 3)) for frame in frames] == [(0, 0.0), (1, 0.2)]
    np.testing.assert_array_equal(frames[0].rgb, quadrants())


@pytest.mark.parametrize("suffix", ["gif", "png", "webp"])
def test_animated_images_keep_their_clock(tmp_path, suffix) -> None:
    path = tmp_path / f"a.{suffix}"
    first, *rest = [Image.fromarray(quadrants(level)) for level in (0, 30, 60)]
    first.save(path, save_all=True, append_images=rest, duration=[200, 500, 300], lossless=True)
    video = open_video(path)
    frames = list(video.frames())
    assert [f.time for f in frames] == pytest.approx([0, 0.2, 0.7])
    assert video.duration == pytest.approx(1.0)
    assert [int(f.rgb.max()) for f in frames] == pytest.approx([255, 225, 195], abs=3)


def test_an_image_as_bytes_and_a_pipe(tmp_path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(quadrants()).save(buffer, "PNG")

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *args: int) -> int:
            raise OSError("a pipe")

    for source in (buffer.getvalue(), buffer, Pipe(buffer.getvalue())):
        assert [corners(f.rgb) for f in open_video(source).frames()] == ["rgbw"]


def test_folder_of_frames_in_natural_order(tmp_path) -> None:
    folder = tmp_path / "clip"
    folder.mkdir()
    for i in (1, 2, 10, 11):
        Image.fromarray(gray_ramp(12)[i]).save(folder / f"frame_{i}.png")
    (folder / "notes.txt").write_text("not a frame")
    (folder / ".hidden.png").write_text("not a frame either")
    video = open_video(folder, fps=10)
    frames = list(video.frames())
    assert (video.name, video.duration) == ("clip", 0.4)
    assert levels(frames) == [4, 8, 40, 44]
    assert [f.time for f in frames] == pytest.approx([0, 0.1, 0.2, 0.3])
    assert open_video(folder).duration == 4 / 25, "25 fps where nothing says otherwise"


def test_a_broken_frame_in_a_folder_is_named(tmp_path) -> None:
    Image.fromarray(quadrants()).save(tmp_path / "1.png")
    (tmp_path / "2.png").write_bytes((tmp_path / "1.png").read_bytes()[:60])
    with pytest.raises(VideoError, match=r"2\.png"):
        list(open_video(tmp_path).frames())


def test_arrays_tensors_and_lists() -> None:
    import torch

    array = np.stack(gray_ramp(5))
    pictures = [Image.fromarray(a) for a in array]
    for source, name in (
        (array, "array"),
        (torch.from_numpy(array), "tensor"),
        (pictures, "frames"),
        (list(array), "frames"),
    ):
        video = open_video(source, fps=5)
        assert (video.name, video.duration) == (name, 1.0)
        frames = list(video.frames())
        assert levels(frames) == [0, 4, 8, 12, 16]
        assert [f.time for f in frames] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
    assert len(list(open_video(array[0]).frames())) == 1, "one picture"
    assert len(list(open_video(pictures[0]).frames())) == 1


def test_grey_and_alpha_arrays() -> None:
    gray = np.full((2, 4, 4, 1), 9, np.uint8)
    rgba = np.full((2, 4, 4, 4), 9, np.uint8)
    for source in (gray, rgba):
        assert next(open_video(source).frames()).rgb.shape == (4, 4, 3)


def test_empty_folder_is_refused(tmp_path) -> None:
    with pytest.raises(VideoError, match="without pictures"):
        open_video(tmp_path)


def test_digits_that_are_no_numbers_are_letters(tmp_path) -> None:
    for name in ("①1.png", "5²1.png", "٣.png", "10.png", "9.png", "²"):
        Image.new("RGB", (4, 4)).save(tmp_path / f"{name.removesuffix('.png')}.png")
    assert len(list(open_video(tmp_path).frames())) == 6


def test_an_empty_name_is_no_folder(tmp_path, monkeypatch) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "1.png")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(VideoError, match="empty"):
        open_video("")
