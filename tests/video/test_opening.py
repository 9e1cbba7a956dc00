from __future__ import annotations

import io
import logging
import struct
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emoclip_sdk.errors import VideoError
from emoclip_sdk.video import Frame, VideoSource, open_video

from .conftest import HEIGHT, WIDTH, corners, gray_ramp, quadrants


def levels(frames: list[Frame]) -> list[float]:
    return [float(f.rgb.mean()) for f in frames]


def test_importing_the_room_loads_no_heavy_package() -> None:
    code = (
        "import sys, emoclip_sdk.video; "
        "print([m for m in ('torch', 'cv2', 'av', 'PIL', 'facenet_pytorch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- video files ----------------------------------------------------------------------------------


def test_frames_of_a_file_have_numbers_times_and_pictures(make_video) -> None:
    video = open_video(make_video("a.mp4", gray_ramp(30)))
    assert video.name == "a.mp4"
    assert video.duration == pytest.approx(1.0, abs=0.01)
    frames = list(video.frames())
    assert [f.index for f in frames] == list(range(30))
    assert [f.time for f in frames] == pytest.approx([i / 30 for i in range(30)])
    assert frames[0].rgb.shape == (HEIGHT, WIDTH, 3)
    assert frames[0].rgb.dtype == np.uint8
    assert levels(frames) == pytest.approx([i * 4 for i in range(30)], abs=4)
    assert len(list(video.frames())) == 30, "a source can be read again"


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("odd.mkv", "ffv1", "yuv420p"),
        ("alpha.mov", "qtrle", "argb"),
        ("alpha.mkv", "ffv1", "yuva444p"),
        ("ten_bit.mkv", "ffv1", "yuv420p10le"),
        ("ten_bit.mov", "prores_ks", "yuv422p10le"),
        ("rgb48.mkv", "ffv1", "gbrp16le"),
    ],
)
def test_odd_sizes_alpha_and_depth_become_plain_rgb(make_video, name, codec, pix_fmt) -> None:
    size = (64, 48) if codec == "prores_ks" else (61, 37)
    path = make_video(name, [quadrants(0, *size)] * 4, codec=codec, pix_fmt=pix_fmt)
    frames = list(open_video(path).frames())
    assert len(frames) == 4
    for frame in frames:
        assert frame.rgb.shape == (size[1], size[0], 3)
        assert frame.rgb.dtype == np.uint8
        assert frame.rgb.flags.c_contiguous
        assert corners(frame.rgb) == "rgbw"


def test_transparent_pixels_keep_their_color(make_video) -> None:
    picture = np.dstack([quadrants(), np.full((HEIGHT, WIDTH), 10, np.uint8)])
    path = make_video("a.mov", [picture] * 2, codec="qtrle", pix_fmt="argb")
    assert corners(next(open_video(path).frames()).rgb) == "rgbw"


def test_grey_video(make_video) -> None:
    gray = [np.full((37, 61), level, np.uint8) for level in (0, 100, 255)]
    frames = list(open_video(make_video("g.mkv", gray, codec="ffv1", pix_fmt="gray")).frames())
    assert frames[0].rgb.shape == (37, 61, 3)
    assert levels(frames) == pytest.approx([0, 100, 255], abs=2)


@pytest.mark.parametrize(
    ("turn", "matrix", "expected"),
    [
        (90, (0, 1, -1, 0), "brwg"),  # shown turned clockwise by 90 degrees
        (180, (-1, 0, 0, -1), "wbgr"),
        (270, (0, -1, 1, 0), "gwrb"),
    ],
)
def test_rotation_metadata_is_applied(make_video, turn, matrix, expected) -> None:
    path = make_video("r.mp4", [quadrants()] * 3)
    data = bytearray(path.read_bytes())
    # The 3 x 3 display matrix begins 40 bytes into the version 0 track header.
    at = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (v * 0x10000 for v in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 0x40000000)
    path.write_bytes(data)
    frames = list(open_video(path).frames())
    for frame in frames:
        assert corners(frame.rgb) == expected
        assert frame.rgb.shape[:2] == ((HEIGHT, WIDTH) if turn == 180 else (WIDTH, HEIGHT))
        assert frame.rgb.flags.c_contiguous


def test_pixels_that_are_not_square_are_made_square(make_video, tmp_path) -> None:
    import av

    path = tmp_path / "dvd.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", 25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(2)
        frame = av.VideoFrame.from_ndarray(quadrants()).reformat(format="yuv420p")
        frame.pts = 0
        out.mux(stream.encode(frame))
        out.mux(stream.encode())
    rgb = next(open_video(path).frames()).rgb
    assert rgb.shape == (HEIGHT, 2 * WIDTH, 3)
    assert corners(rgb) == "rgbw"


def test_times_start_at_zero_whatever_the_file_says(make_video) -> None:
    path = make_video("late.mkv", gray_ramp(3), codec="ffv1", ticks=[3000, 3060, 3300])
    assert [f.time for f in open_video(path).frames()] == pytest.approx([0, 0.1, 0.5])


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


# --- bytes, file objects, folders, arrays ---------------------------------------------------------


def test_bytes_and_file_objects(make_video) -> None:
    path = make_video("a.mp4", gray_ramp(10))
    data = path.read_bytes()
    with path.open("rb") as file:
        for source, name in ((data, "bytes"), (io.BytesIO(data), "file object"), (file, "a.mp4")):
            video = open_video(source)
            assert video.name == name
            for _ in range(2):
                assert levels(list(video.frames())) == pytest.approx(
                    [i * 4 for i in range(10)], abs=4
                )
        assert not file.closed, "the caller's file stays the caller's"


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


def test_a_source_is_passed_through() -> None:
    video = open_video(np.zeros((2, 4, 4, 3), np.uint8))
    assert open_video(video) is video
    assert isinstance(video, VideoSource)


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (np.zeros((2, 4, 4, 3), np.float32), "uint8"),
        (np.zeros((2, 3, 4, 5), np.uint8), "permute"),
        (np.zeros((2, 4, 5), np.uint8), "shape"),
        (np.zeros((0, 4, 4, 3), np.uint8), "no frames"),
        ([], "empty"),
        (["a.mp4", "b.mp4"], "item 0 is a str"),
        (b"", "empty"),
        (io.BytesIO(), "empty"),
        (io.StringIO("text"), "text mode"),
        (b"not a video, only some words about one", "can't be opened"),
        (7, "a path to a video"),
        (None, "a list of PIL images"),
        (object(), "NumPy array"),
    ],
)
def test_input_that_is_refused_says_why(source, reason) -> None:
    with pytest.raises(VideoError, match=reason):
        open_video(source)


def test_tensor_of_another_type_is_refused() -> None:
    import torch

    with pytest.raises(VideoError, match="bfloat16"):
        open_video(torch.zeros((2, 4, 4, 3), dtype=torch.bfloat16))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("text.mp4", b"this is a text file with a wrong name\n" * 20, "can't be opened"),
        ("empty.mp4", b"", "empty"),
        ("noise.avi", bytes(range(256)) * 8, "can't be opened"),
        ("stub.png", b"\x89PNG\r\n\x1a\n", "can't be opened"),
        ("missing.mp4", None, "no such file"),
    ],
)
def test_bad_files_name_file_and_reason(tmp_path, name, content, reason) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(VideoError, match=reason) as caught:
        list(open_video(path).frames())
    assert name in str(caught.value)


def test_empty_folder_is_refused(tmp_path) -> None:
    with pytest.raises(VideoError, match="without pictures"):
        open_video(tmp_path)


@pytest.mark.parametrize("fps", [0, -1, float("nan")])
def test_impossible_frame_rates_are_refused(fps) -> None:
    array = np.zeros((2, 4, 4, 3), np.uint8)
    with pytest.raises(VideoError, match="positive"):
        open_video(array, fps=fps)
    with pytest.raises(VideoError, match="positive"):
        list(open_video(array).sample(fps))


@pytest.mark.parametrize(
    "address", ["http://localhost:9/a.mp4", "https://localhost:9/a.mp4", "rtsp://localhost:9/cam"]
)
def test_network_addresses_are_refused_unless_asked_for(address) -> None:
    with pytest.raises(VideoError, match="allow_network=True"):
        open_video(address)


def test_network_address_is_tried_when_allowed() -> None:
    video = open_video("http://localhost:9/a.mp4", allow_network=True)
    with pytest.raises(VideoError, match="can't be opened"):
        next(video.frames())


def test_protocols_inside_names_and_playlists_open_nothing(
    make_video, tmp_path, monkeypatch
) -> None:
    path = make_video("a.ts", gray_ramp(5))
    with pytest.raises(VideoError, match="no such file"):
        open_video(f"concat:{path}|{path}")
    # FFmpeg would follow this list to the file, if content could name files.
    monkeypatch.chdir(tmp_path)
    with pytest.raises(VideoError):
        list(open_video(b"ffconcat version 1.0\nfile a.ts\n").frames())


@pytest.mark.skipif(sys.platform == "win32", reason="no colon in file names there")
def test_a_name_that_looks_like_a_protocol_is_a_name(make_video, tmp_path, monkeypatch) -> None:
    make_video("a.mp4", gray_ramp(3)).rename(tmp_path / "concat:a.mp4")
    monkeypatch.chdir(tmp_path)
    assert len(list(open_video("concat:a.mp4").frames())) == 3


def test_file_addresses_are_local(make_video) -> None:
    assert len(list(open_video(make_video("a b.mp4", gray_ramp(3)).as_uri()).frames())) == 3


def test_sound_without_pictures(tmp_path) -> None:
    import av

    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.sample_rate = 8000
        out.mux(stream.encode(frame))
        out.mux(stream.encode())
    with pytest.raises(VideoError, match="no video stream"):
        open_video(path)


# --- damage ---------------------------------------------------------------------------------------


def textured(n: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return list(rng.integers(0, 255, (n, HEIGHT, WIDTH, 3)).astype(np.uint8))


def test_a_truncated_file_gives_the_frames_it_has(make_video, caplog) -> None:
    path = make_video("a.mp4", textured(40), container={"movflags": "faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    video = open_video(path)
    assert video.duration == pytest.approx(40 / 30, abs=0.02), "the header does not know"
    with caplog.at_level(logging.WARNING):
        frames = list(video.frames())
    assert 5 < len(frames) < 35
    assert video.duration == pytest.approx(frames[-1].time, abs=0.1), "a whole pass does"
    assert list(video.sample(7)), "sampling works too"


def test_a_file_without_its_index_is_an_error(make_video) -> None:
    path = make_video("a.mp4", textured(40))  # the index comes last
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(VideoError, match=r"a\.mp4.*cut off"):
        open_video(path)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "ts"])
def test_damage_in_the_middle_neither_hangs_nor_crashes(make_video, suffix) -> None:
    codec = "mpeg4" if suffix == "avi" else "libx264"
    path = make_video(f"a.{suffix}", textured(40), codec=codec)
    data = bytearray(path.read_bytes())
    start = len(data) // 2
    data[start : start + 3000] = np.random.default_rng(1).bytes(3000)
    path.write_bytes(data)
    assert len(list(open_video(path).frames())) >= 5


def test_a_file_of_which_nothing_decodes(make_video) -> None:
    path = make_video("a.mp4", textured(5), container={"movflags": "faststart"})
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    data[start:] = bytes(len(data) - start)
    path.write_bytes(data)
    with pytest.raises(VideoError, match=r"a\.mp4"):
        list(open_video(path).frames())


def test_leaving_early_does_not_hang(make_video) -> None:
    import torchvision  # noqa: F401  # frame threads hang at this point when it is loaded

    path = make_video("a.mp4", textured(60))
    for _ in range(5):
        frames = open_video(path).frames()
        next(frames)
        frames.close()  # type: ignore[attr-defined]


def test_names_are_of_the_file_and_errors_of_the_path(tmp_path: Path) -> None:
    path = tmp_path / "x" / "clip.mp4"
    with pytest.raises(VideoError) as caught:
        open_video(path)
    assert str(path) in str(caught.value)
