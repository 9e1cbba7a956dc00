"""A file from a stranger opens no other file and calls nobody."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from emoclip_sdk.errors import VideoError
from emoclip_sdk.video import open_video

from .codec_clips import encode, picture

REFERENCES = (
    "http://127.0.0.1:{port}/a.ts",
    "tcp://127.0.0.1:{port}",
    "secret.ts",
    "{folder}/secret.ts",
    "file:{folder}/secret.ts",
    "subfile,,start,0,end,0,,:{folder}/secret.ts",
    "crypto:{folder}/secret.ts",
    "concat:{folder}/secret.ts|{folder}/secret.ts",
)
PLAYLISTS = {
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{ref}\n#EXT-X-ENDLIST\n",
    "ffconcat": "ffconcat version 1.0\nfile '{ref}'\n",
    "mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
    'mediaPresentationDuration="PT1S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011">'
    '<Period><AdaptationSet mimeType="video/mp2t"><Representation id="1" bandwidth="1">'
    "<BaseURL>{ref}</BaseURL></Representation></AdaptationSet></Period></MPD>",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
    "m=video {port} RTP/AVP 96\na=rtpmap:96 H264/90000\na=control:{ref}\n",
    "asx": "<asx><entry><ref href='{ref}'/></entry></asx>",
}


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A socket that nobody may call."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize("kind", PLAYLISTS)
@pytest.mark.parametrize("named", ["as it is", "as a video"])
def test_playlists_lead_nowhere(kind, named, listener, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("secret.ts").write_bytes(encode("ts", "mpeg2video", "yuv420p", n=3))
    place = dict(port=listener.getsockname()[1], folder=tmp_path)
    for reference in REFERENCES:
        text = PLAYLISTS[kind].format(ref=reference.format(**place), **place)
        path = Path(f"list.{kind if named == 'as it is' else 'mp4'}")
        path.write_text(text)
        for source in (path, str(path.resolve()), text.encode(), path.open("rb")):
            with pytest.raises(VideoError):
                list(open_video(source).frames())


def test_a_movie_that_refers_to_another_file(listener, tmp_path, monkeypatch) -> None:
    """QuickTime keeps its pictures elsewhere, where a data reference ('alis') says so."""
    monkeypatch.chdir(tmp_path)
    movie = encode("mov", "mjpeg", "yuvj420p", n=3)
    Path("other.mov").write_bytes(movie)
    at = movie.index(b"url \0\0\0\1")  # "the pictures are in this file"
    for address in (f"http://127.0.0.1:{listener.getsockname()[1]}/", f"{tmp_path}/other.mov"):
        linked = bytearray(movie)
        linked[at : at + 8] = b"url \0\0\0\0"
        name = address.encode()
        linked[at + 8 : at + 8 + len(name)] = name
        Path("linked.mov").write_bytes(linked)
        with suppress(VideoError):
            assert len(list(open_video("linked.mov").frames())) <= 3


def test_a_name_is_no_pattern(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a001.jp2", "a002.jp2", "a%03d.jp2"):
        Path(name).write_bytes(picture("JPEG2000"))
    with pytest.raises(VideoError):
        list(open_video("a%03d.jp2").frames())


def test_text_is_no_video(tmp_path) -> None:
    path = tmp_path / "readme.ans"  # FFmpeg would draw it
    path.write_text("\x1b[31mred" * 100)
    with pytest.raises(VideoError, match="not a video"):
        open_video(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in folders there")
def test_a_pipe_in_the_place_of_a_file(tmp_path) -> None:
    os.mkfifo(tmp_path / "a.mp4")
    with pytest.raises(VideoError, match="neither a file nor a folder"):
        open_video(tmp_path / "a.mp4")
