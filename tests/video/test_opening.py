"""One function opens every kind of input; what can't be opened is refused with a reason."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emoclip_sdk.errors import VideoError
from emoclip_sdk.video import Frame, VideoSource, open_video

from .conftest import gray_ramp


def levels(frames: list[Frame]) -> list[float]:
    return [float(f.rgb.mean()) for f in frames]


def test_importing_the_room_loads_no_heavy_package() -> None:
    code = (
        "import sys, emoclip_sdk.video; "
        "print([m for m in ('torch', 'cv2', 'av', 'PIL', 'facenet_pytorch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


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


def test_a_source_is_passed_through() -> None:
    video = open_video(np.zeros((2, 4, 4, 3), np.uint8))
    assert open_video(video) is video
    assert isinstance(video, VideoSource)


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


def test_file_addresses_are_local(make_video) -> None:
    assert len(list(open_video(make_video("a b.mp4", gray_ramp(3)).as_uri()).frames())) == 3


def test_names_are_of_the_file_and_errors_of_the_path(tmp_path: Path) -> None:
    path = tmp_path / "x" / "clip.mp4"
    with pytest.raises(VideoError) as caught:
        open_video(path)
    assert str(path) in str(caught.value)
