"""What a container may not do, and files without a video."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from emoclip_sdk.errors import VideoError
from emoclip_sdk.video import open_video

from .conftest import gray_ramp


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
