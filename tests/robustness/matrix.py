"""Videos of every combination: container, codec, orientation, start, rate and color.

Each is made by code from pictures that are known, read by the package, and compared with what
FFmpeg's demuxer (times), decoder (count) and filters (pictures) say, and with the pictures that it
was made of. ``PYTHONPATH=.:tests python -m
robustness.matrix`` prints the table.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from builders import turned_packet
from colors import FULL, HLG, LIMITED, PQ, codes, frame, in_high_range

WIDTH, HEIGHT, N = 96, 64, 6
CLOCK = 90_000

# Display matrix (a, b, c, d), what it does to an array, and FFmpeg's filters for the same.
ORIENTATIONS: dict[str, tuple[tuple[int, int, int, int], Any, list[tuple[str, str]]]] = {
    "upright": ((1, 0, 0, 1), lambda p: p, []),
    "mirrored": ((-1, 0, 0, 1), lambda p: p[:, ::-1], [("hflip", "")]),
    "upside down, mirrored": ((1, 0, 0, -1), lambda p: p[::-1], [("vflip", "")]),
    "180": ((-1, 0, 0, -1), lambda p: p[::-1, ::-1], [("hflip", ""), ("vflip", "")]),
    "90": ((0, 1, -1, 0), lambda p: np.rot90(p, -1), [("transpose", "clock")]),
    "270": ((0, -1, 1, 0), np.rot90, [("transpose", "cclock")]),
    "90, mirrored": ((0, 1, 1, 0), lambda p: p.swapaxes(0, 1), [("transpose", "cclock_flip")]),
    "270, mirrored": (
        (0, -1, -1, 0),
        lambda p: p[::-1, ::-1].swapaxes(0, 1),
        [("transpose", "clock_flip")],
    ),
}
STARTS = ("0", "late", "shifted")
"""Pictures from 0; pictures 1.6 s after the sound; a file without sound whose first time is 2 s."""

RATES: dict[str, list[int]] = {
    "25": [i * CLOCK // 25 for i in range(N)],
    "30000/1001": [i * 3003 for i in range(N)],
    "2": [i * CLOCK // 2 for i in range(N)],
    "varies": [CLOCK // 100 * hundredths for hundredths in (0, 4, 8, 40, 44, 100)],
}
_FPS = {"25": Fraction(25), "30000/1001": Fraction(30000, 1001), "2": Fraction(2)}


@dataclass(frozen=True)
class Color:
    """Code points of H.273, and bits."""

    matrix: int
    range: int = LIMITED
    bits: int = 8
    transfer: int = 2
    primaries: int = 2
    interlaced: bool = False


COLORS = {
    "601": Color(6),
    "709": Color(1, transfer=1, primaries=1),
    "709 full": Color(1, FULL, transfer=1, primaries=1),
    "601 full": Color(5, FULL),
    "709 10 bit": Color(1, bits=10, transfer=1, primaries=1),
    "2020 10 bit": Color(9, bits=10, transfer=14, primaries=9),
    "HLG": Color(9, bits=10, transfer=HLG, primaries=9),
    "PQ": Color(9, bits=10, transfer=PQ, primaries=9),
    "interlaced": Color(6, interlaced=True),
}


@dataclass(frozen=True, eq=False)
class Kind:
    """A container and a codec, and what they can hold.

    Attributes
    ----------
    suffix, codec : str
    sound : str
        Codec of the sound; "": this container keeps no time at which the pictures begin.
    colors : tuple of str
    formats : dict
        Pixel format by bits.
    options : dict
    turned : str
        Where the orientation is stated: "track" header, "stream" (H.264's), "" nowhere.
    rates : tuple of str
    """

    suffix: str
    codec: str
    sound: str
    colors: tuple[str, ...]
    formats: dict[int, str]
    options: dict[str, str]
    turned: str = ""
    rates: tuple[str, ...] = tuple(RATES)


_420 = {8: "yuv420p", 10: "yuv420p10le"}
_ALL = tuple(name for name in COLORS if name not in ("601 full", "interlaced"))
_X264 = {"crf": "8", "preset": "veryfast", "bf": "2"}
_X265 = {"preset": "ultrafast", "x265-params": "log-level=none:crf=8"}
_VP9 = {"crf": "8", "b": "0", "deadline": "realtime", "cpu-used": "8", "row-mt": "0"}
_MPEG2 = {"b": "6M", "bf": "2", "flags": "+ildct+ilme"}
_PLAIN = ("25", "30000/1001")
KINDS = (
    Kind("mp4", "libx264", "aac", (*_ALL, "interlaced"), _420, _X264, "track"),
    Kind("mp4", "libx265", "aac", _ALL, _420, _X265, "track"),
    Kind("mp4", "mpeg4", "aac", ("601", "709"), _420, {"q": "2", "b": "6M"}, "track"),
    Kind("mp4", "libsvtav1", "aac", ("709", "709 10 bit", "PQ", "HLG"), _420,
         {"crf": "8", "preset": "10", "svtav1-params": "lp=1"}, "track"),
    Kind("mov", "prores_ks", "aac", ("709 10 bit", "HLG", "PQ"), {10: "yuv422p10le"}, {}, "track"),
    Kind("mov", "mjpeg", "aac", ("601 full",), {8: "yuvj420p"}, {"q": "2", "b": "9M"}, "track"),
    Kind("mkv", "libx264", "aac", (*_ALL, "interlaced"), _420, _X264, "stream"),
    Kind("mkv", "libx265", "aac", _ALL, _420, _X265),
    Kind("mkv", "ffv1", "aac", _ALL, {8: "yuv444p", 10: "yuv444p10le"}, {}),
    Kind("webm", "libvpx-vp9", "libopus", ("601", "709", "709 full"), _420, _VP9),
    Kind("ts", "libx264", "aac", (*_ALL, "interlaced"), _420, _X264, "stream"),
    Kind("ts", "mpeg2video", "mp2", ("601", "709", "interlaced"), _420, _MPEG2, rates=_PLAIN),
    Kind("mpg", "mpeg2video", "mp2", ("601", "709", "interlaced"), _420, _MPEG2, rates=_PLAIN),
    Kind("avi", "mpeg4", "", ("601",), _420, {"b": "6M"}, rates=_PLAIN),
    Kind("flv", "libx264", "aac", ("601", "709", "709 full"), _420, _X264, "stream"),
    Kind("wmv", "wmv2", "wmav2", ("601",), _420, {"b": "6M"}),
)  # fmt: skip
FORMATS = {"mkv": "matroska", "ts": "mpegts", "mpg": "vob", "wmv": "asf"}


@dataclass(frozen=True)
class Combination:
    """One cell of the matrix."""

    kind: Kind
    orientation: str
    start: str
    rate: str
    color: str

    def __str__(self) -> str:
        names = (self.orientation, self.start, self.rate, self.color)
        return f"{self.kind.suffix} {self.kind.codec}: {'; '.join(names)}"


def combinations(n: int) -> list[Combination]:
    """Draw `n` combinations, always the same ones; all kinds of containers take turns."""
    rng = random.Random(0)
    drawn: dict[Combination, None] = {}
    # Values are dealt out like cards, so that each comes up as often as the others.
    hands: dict[Any, list[str]] = {}

    def deal(key: Any, values: Any) -> str:
        hand = hands.setdefault(key, [])
        if not hand:
            hand.extend(values)
            rng.shuffle(hand)
        return hand.pop()

    misses = 0
    while len(drawn) < n and misses < 1000 * n:
        kind = KINDS[(len(drawn) + misses) % len(KINDS)]
        name = kind.suffix + kind.codec
        cell = Combination(
            kind,
            deal((name, 0), ORIENTATIONS if kind.turned else ["upright"]),
            deal((name, 1), STARTS if kind.sound else ["0"]),
            deal((name, 2), kind.rates),
            deal((name, 3), kind.colors),
        )
        misses += cell in drawn
        drawn[cell] = None
    return list(drawn)


def scene(number: float) -> np.ndarray:
    """A picture 0..1 without any symmetry; a bright disk tells its number."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    red, green, blue = 0.2 + 0.5 * x / WIDTH, 0.2 + 0.4 * y / HEIGHT, 0.55 - 0.35 * x / WIDTH
    picture = np.stack([red, green, blue], axis=-1)
    disk = 1 / (1 + np.exp(np.hypot(x - 12 - 11 * number, y - 20) / 2 - 4))
    return picture * (1 - disk[..., None]) + np.array([0.7, 0.7, 0.65]) * disk[..., None]


def make(cell: Combination, path: Path) -> Path:
    """Write the video of a combination."""
    # SVT-AV1 gives the thread that calls it real-time priority, where it may (as root).
    with ThreadPoolExecutor(1) as own_thread:
        own_thread.submit(_make, cell, path).result()
    if cell.kind.turned == "track":
        _turn_track(path, ORIENTATIONS[cell.orientation][0])
    return path


def _make(cell: Combination, path: Path) -> None:
    import av

    kind, color = cell.kind, COLORS[cell.color]
    offset = {"0": 0, "late": CLOCK * 8 // 5, "shifted": 2 * CLOCK}[cell.start]
    base = Fraction(1, CLOCK)
    fps = _FPS.get(cell.rate, Fraction(25))
    if kind.suffix == "avi" or kind.codec in ("mpeg2video", "mpeg4"):  # count in frames
        base = 1 / fps if cell.rate != "varies" else Fraction(1, 100)
    with av.open(str(path), "w", format=FORMATS.get(kind.suffix, kind.suffix)) as out:
        options = dict(kind.options)
        if not color.interlaced:
            options.pop("flags", None)
        elif kind.codec == "libx264":
            options["flags"] = "+ildct"
        stream: Any = out.add_stream(kind.codec, rate=fps, options=options)
        stream.width, stream.height = WIDTH, HEIGHT
        stream.pix_fmt = kind.formats[color.bits]
        context = stream.codec_context
        context.time_base = base
        context.colorspace, context.color_range = color.matrix, color.range
        context.color_trc, context.color_primaries = color.transfer, color.primaries
        sound: Any = None
        if cell.start == "late":
            rate = 48000 if kind.sound == "libopus" else 44100
            sound = out.add_stream(kind.sound, rate=rate, layout="stereo")
            sound.codec_context.bit_rate = 128_000
            ticks = np.zeros((1, 2 * 4 * rate), np.int16)
            noise = av.AudioFrame.from_ndarray(ticks, format="s16", layout="stereo")
            noise.sample_rate, noise.pts, noise.time_base = rate, 0, Fraction(1, rate)
            out.mux(sound.encode(noise))
            out.mux(sound.encode(None))
        marked = _marking_fields(stream.pix_fmt) if color.interlaced else None
        for i, ticks_at in enumerate(RATES[cell.rate]):
            picture = _encoded(i, color).reformat(format=stream.pix_fmt)
            picture.pts = round((ticks_at + offset) * Fraction(1, CLOCK) / base)
            picture.time_base = base
            _mux(out, stream.encode(picture if marked is None else marked(picture)), cell)
        _mux(out, stream.encode(), cell)


# Of H.264's message "display orientation" (D.1.27): mirrored left to right, top to bottom, and then
# turned anticlockwise by so many degrees.
_SEI = {
    "mirrored": (1, 0, 0),
    "upside down, mirrored": (0, 1, 0),
    "180": (0, 0, 180),
    "90": (0, 0, 270),
    "270": (0, 0, 90),
    "90, mirrored": (1, 0, 90),
    "270, mirrored": (1, 0, 270),
}


def _mux(out: Any, packets: Any, cell: Combination) -> None:
    turned = cell.kind.turned == "stream" and cell.orientation != "upright"
    for packet in packets:
        out.mux(turned_packet(packet, *_SEI[cell.orientation]) if turned else packet)


def _encoded(number: int, color: Color) -> Any:
    """Return a frame (4:4:4) of the scene in a kind of color."""
    rgb = scene(number)
    if color.interlaced:
        rgb = scene(number + 0.5)
        rgb[::2] = scene(number)[::2]
    if color.transfer in (HLG, PQ):
        rgb = in_high_range(rgb, color.transfer)
    planes = codes(rgb, color.matrix, color.range, color.bits)
    return frame(planes, color.bits, color.matrix, color.range, color.transfer, color.primaries)


def _marking_fields(pix_fmt: str) -> Any:
    import av

    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=WIDTH, height=HEIGHT, format=pix_fmt, time_base=Fraction(1, CLOCK)
    )
    graph.link_nodes(source, graph.add("setfield", "tff"), graph.add("buffersink")).configure()

    def mark(picture: Any) -> Any:
        pts, base = picture.pts, picture.time_base
        source.push(picture)
        marked = graph.pull()
        marked.pts, marked.time_base = pts, base
        return marked

    return mark


def _turn_track(path: Path, matrix: tuple[int, int, int, int]) -> None:
    """Write a display matrix into the track header of the pictures (version 0)."""
    import struct

    data = bytearray(path.read_bytes())
    a, b, c, d = (v * 0x10000 for v in matrix)
    at = data.index(b"tkhd")
    while struct.unpack_from(">I", data, at + 4 + 76)[0] == 0:  # no width: sound
        at = data.index(b"tkhd", at + 1)
    struct.pack_into(">9i", data, at + 4 + 40, a, b, 0, c, d, 0, 0, 0, 0x40000000)
    path.write_bytes(data)


@dataclass(frozen=True)
class Outcome:
    """What the package reads of a combination, and how far it is from what others say.

    Attributes
    ----------
    frames, expected_frames : int
    start, expected_start : float
        Seconds.
    late : float
        The largest difference of a frame's time, in seconds.
    from_source, from_ffmpeg : float
        Mean difference of the pictures in levels of 255: from those that the video was made of, and
        from FFmpeg's filters (nan: FFmpeg here has none for high dynamic range).
    """

    frames: int
    expected_frames: int
    start: float
    expected_start: float
    late: float
    from_source: float
    from_ffmpeg: float

    @property
    def right(self) -> bool:
        """Whether everything is within its bound."""
        return (
            self.frames == self.expected_frames
            and self.late < 2e-3
            and self.from_source < 3
            and not self.from_ffmpeg > 1
        )


def check(cell: Combination, folder: Path) -> Outcome:
    """Make the video of a combination, read it, and compare."""
    from emoclip_sdk.video import open_video

    path = make(cell, folder / f"a.{cell.kind.suffix}")
    frames = list(open_video(path).frames())
    pictures = reference_pictures(cell, path)
    times = reference_times(cell, path)
    turned = ORIENTATIONS[cell.orientation][1]
    n = min(len(frames), N)
    from_source = [np.abs(frames[i].rgb - 255 * turned(scene(i))).mean() for i in range(n)]
    from_ffmpeg = [
        np.abs(frame.rgb.astype(int) - picture).mean()
        for frame, picture in zip(frames, pictures, strict=False)
        if frame.rgb.shape == picture.shape
    ]
    if COLORS[cell.color].transfer in (HLG, PQ):
        from_ffmpeg = [float("nan")]
    return Outcome(
        frames=len(frames),
        expected_frames=len(pictures),
        start=frames[0].time,
        expected_start=times[0],
        late=max(abs(f.time - t) for f, t in zip(frames, times, strict=False)),
        from_source=max(from_source),
        from_ffmpeg=max(from_ffmpeg, default=255.0),
    )


def reference_times(cell: Combination, path: Path) -> list[float]:
    """Return the times of the frames on the clock of the container, as its packets say.

    MPEG's streams count from anywhere: there, zero is where the first of sound and pictures begins.
    """
    import av

    with av.open(str(path)) as container:
        zero = Fraction(0)
        if cell.kind.suffix in ("ts", "mpg"):
            zero = Fraction(container.start_time, av.time_base)
        stamps = sorted(
            packet.pts * packet.time_base
            for packet in container.demux(video=0)
            if packet.size and packet.pts is not None
        )
    return [float(stamp - zero) for stamp in stamps]


def reference_pictures(cell: Combination, path: Path) -> list[np.ndarray]:
    """Return the frames as FFmpeg's decoder and filters make them."""
    import av

    color = COLORS[cell.color]
    matrix = {6: "bt601", 5: "bt601", 1: "bt709", 9: "bt2020"}[color.matrix]
    in_range = "full" if color.range == FULL else "limited"
    chain = [
        *([("bwdif", "mode=send_frame")] if color.interlaced else []),
        ("scale", f"in_color_matrix={matrix}:in_range={in_range}:out_range=full"),
        ("format", "rgb24"),
        *ORIENTATIONS[cell.orientation][2],
    ]
    pictures = []
    with av.open(str(path)) as container:
        graph: Any = None
        for decoded in [*container.decode(video=0), None]:
            if graph is None:
                graph = av.filter.Graph()
                source = graph.add_buffer(
                    width=WIDTH, height=HEIGHT, format=decoded.format, time_base=decoded.time_base
                )
                steps = [graph.add(name, arguments) for name, arguments in chain]
                graph.link_nodes(source, *steps, graph.add("buffersink")).configure()
            source.push(decoded)
            while True:
                try:
                    pictures.append(graph.pull().to_ndarray().astype(int))
                except (av.error.EOFError, av.error.BlockingIOError):
                    break
    return pictures


def main(n: int) -> int:
    """Print the table of `n` combinations, and return how many are wrong."""
    os.environ["SVT_LOG"] = "1"  # errors alone
    print("combination | frames | start | largest lag | from source | from FFmpeg")
    wrong = 0
    for cell in combinations(n):
        with tempfile.TemporaryDirectory() as folder:
            outcome = check(cell, Path(folder))
        wrong += not outcome.right
        print(
            f"{cell} | {outcome.frames} of {outcome.expected_frames} | {outcome.start:.3f} of "
            f"{outcome.expected_start:.3f} | {outcome.late:.3f} | {outcome.from_source:.2f} | "
            f"{outcome.from_ffmpeg:.2f}{'' if outcome.right else '  WRONG'}",
            flush=True,
        )
    print(f"{n} combinations, {wrong} wrong")
    return wrong


if __name__ == "__main__":
    sys.exit(bool(main(int(sys.argv[1]) if len(sys.argv) > 1 else 240)))
