"""Drawings on the frames of an annotated video: boxes, labels, and a strip below."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..faces.outlines import OUTLINES
from ..faces.shapes import FaceInFrame
from ..results.analysis import Cell, cells, runs
from .style import MUTED, clock, label_colors

if TYPE_CHECKING:
    from PIL import Image, ImageFont

    from ..faces.shapes import ShapeFinder
    from ..results.scored_windows import ScoredWindows
    from .anonymize import Anonymizer

__all__ = ["Overlay"]

_MIN_WIDTH = 400  # pixels; a smaller video is enlarged, or its labels could not be read
_MIN_ROOM = 200  # pixels of width, whatever the shape of the picture
_MAX_SIDE, _REDUCED = 4096, 1920  # pixels of the longer side: an encoder holds dozens of frames
_MAX_FACES = 6  # rows of the strip
_LETTERS = 30  # of a label
_GROUND, _TRACK, _TEXT = "#14181d", "#2a3038", "#e4e7eb"

Rect = tuple[int, int, int, int]


class Overlay:
    """Draws on the frames of one video.

    Parameters
    ----------
    timeline : ScoredWindows
    size : (int, int)
        Width and height of a frame in pixels.
    finder : ShapeFinder, optional
        Finds the landmarks of the faces, which then are drawn.
    begin : float
        Where the strip begins, in seconds.
    anonymizer : Anonymizer, optional
        Blurs faces before anything is drawn.

    Attributes
    ----------
    size : (int, int)
        Width and height of what :meth:`draw` returns, both even: the frame, enlarged by a whole
        factor where it is small, reduced to 1920 pixels where it is larger than 4K, and the strip
        below it.
    """

    def __init__(
        self,
        timeline: ScoredWindows,
        size: tuple[int, int],
        finder: ShapeFinder | None = None,
        begin: float = 0.0,
        anonymizer: Anonymizer | None = None,
    ) -> None:
        self._finder = finder
        self._anonymizer = anonymizer
        factor: float = min(math.ceil(_MIN_WIDTH / size[0]), max(1, _MAX_SIDE // max(size)))
        if max(size) > _MAX_SIDE:
            factor = _REDUCED / max(size)
        # A strip of a picture still needs room for the words.
        self._picture = (max(_MIN_ROOM, round(size[0] * factor)), max(2, round(size[1] * factor)))
        self._timeline = timeline
        # Without the last color of the palette, which is dark as the strip.
        self._colors = label_colors(timeline, among=7)
        self._cells = cells(timeline)
        self._starts = {
            track: [cell.start for cell in track_cells]
            for track, track_cells in self._cells.items()
        }
        self._begin = begin
        self._end = max([timeline.duration or 0.0, *(row.end for row in timeline.rows)]) or 1.0
        self._font = _font(max(12, round(min(self._picture) / 38)))
        self._line = max(2, round(min(self._picture) / 240))
        self._pad = self._line + 2
        self._strip = self._make_strip()
        width, height = self._picture
        self.size = (width + width % 2, height + self._strip.height)
        if self.size[1] % 2:
            self.size = (self.size[0], self.size[1] + 1)

    def draw(self, rgb: NDArray[np.uint8], time: float) -> NDArray[np.uint8]:
        """Return a frame with everything on it.

        Parameters
        ----------
        rgb : ndarray, (H, W, 3), uint8
        time : float
            Seconds on the clock of the video.
        """
        from PIL import Image, ImageDraw

        shown = rgb if self._anonymizer is None else self._anonymizer(rgb, time)
        picture = Image.fromarray(shown)
        # A video may change its size on the way: its pictures are fitted in, never stretched.
        scale = min(self._picture[0] / picture.width, self._picture[1] / picture.height)
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        left, top = ((self._picture[i] - size[i]) // 2 for i in (0, 1))
        if picture.size != size:
            picture = picture.resize(size, Image.Resampling.BICUBIC)
        canvas = Image.new("RGB", self.size, _GROUND)
        canvas.paste(picture, (left, top))
        canvas.paste(self._strip, (0, self._picture[1]))
        pen = ImageDraw.Draw(canvas)
        boxes = {track: path.at(time) for track, path in self._timeline.paths.items()}
        faces = [FaceInFrame(rgb, track, box) for track, box in boxes.items() if box is not None]
        visible = []
        for face in faces:
            x0, y0, x1, y1 = (scale * edge for edge in face.box)
            placed = (left + x0, top + y0, left + x1, top + y1)
            visible.append((face.track, self._clipped(placed), self._caption(face.track, time)))
        if self._finder is not None and faces:
            # Under everything else, which has to be read.
            for shape, (_, _, (_, color)) in zip(self._finder(faces), visible, strict=True):
                if shape is not None:
                    points = shape.landmarks[:, :2] * scale + np.array([left, top], np.float32)
                    self._draw_landmarks(pen, points, color)
        for _, placed, (_, color) in visible:
            pen.rectangle(placed, outline=color, width=self._line)
        occupied: list[Rect] = []
        for _, placed, (text, color) in visible:
            chip = _chip(text, color, self._font, self._pad)
            others = [other for _, other, _ in visible if other is not placed]
            at = self._free_place(placed, chip.size, occupied, others)
            occupied.append((*at, at[0] + chip.width, at[1] + chip.height))
            canvas.paste(chip, at)
        self._draw_clock(pen, time)
        return np.asarray(canvas)

    def _draw_landmarks(self, pen: Any, points: NDArray[np.float32], color: str) -> None:
        """Draw outlines of brows, eyes, irises, lips and face, and a dot for each other point."""
        for x, y in points.tolist():
            pen.point((x, y), fill=color)
        for outline in OUTLINES:
            line = [tuple(points[i].tolist()) for i in outline]
            pen.line(line, fill=color, width=max(1, self._line // 2))

    def _clipped(self, box: tuple[float, float, float, float]) -> Rect:
        width, height = self._picture
        x0, x1 = (min(max(round(x), 0), width - 1) for x in (box[0], box[2]))
        y0, y1 = (min(max(round(y), 0), height - 1) for y in (box[1], box[3]))
        return x0, y0, max(x0, x1), max(y0, y1)

    def _caption(self, track: int, time: float) -> tuple[str, str]:
        """Return the text beside a face, and its color."""
        cell = self._cell(track, time)
        if cell is None:
            return f"{track}", MUTED
        label = str(cell.row.label)
        if cell.row.abstained:
            return f"{track}  none of these", MUTED
        text = f"{track}  {_short(str(cell.row.answer))} {cell.row.scores[label]:.2f}"
        return text, self._colors.get(label, MUTED)

    def _cell(self, track: int, time: float) -> Cell | None:
        i = bisect_right(self._starts.get(track, []), time) - 1
        if i < 0:
            return None
        cell = self._cells[track][i]
        # The last frame of a video may lie at its end.
        return cell if time < cell.end or (time >= self._end and cell.end >= self._end) else None

    def _free_place(
        self, box: Rect, size: tuple[int, int], occupied: Sequence[Rect], faces: Sequence[Rect]
    ) -> tuple[int, int]:
        """Return where a label touches no other one, and no other face where that is possible.

        Above its box, below it, inside, or else further down.
        """
        width, height = size
        x = min(max(box[0], 0), max(self._picture[0] - width, 0))
        lowest = max(self._picture[1] - height, 0)
        near = [y for y in (box[1] - height, box[3] + 1, box[1]) if 0 <= y <= lowest]
        below = list(range(box[1] + height, lowest + 1, max(height, 1)))
        for places, avoided in ((near, [*occupied, *faces]), ([*near, *below], occupied)):
            for y in places:
                rect = (x, y, x + width, y + height)
                if not any(_overlap(rect, other) for other in avoided):
                    return x, y
        return x, min(max(box[1], 0), lowest)

    # The strip

    def _rows(self) -> list[int]:
        """Return the faces that have a row: those most prominent, in order of their numbers."""
        prominence = {track.track: track.prominence for track in self._timeline.tracks}
        ranked = sorted(self._cells, key=lambda track: -prominence.get(track, 0.0))
        return sorted(ranked[:_MAX_FACES])

    def _make_strip(self) -> Image.Image:
        from PIL import Image, ImageDraw

        faces = self._rows()
        size, pad = _height(self._font), self._pad
        self._row = size + pad
        self._left = round(self._font.getlength("face 00")) + 2 * pad
        self._right = self._picture[0] - 2 * pad
        legend = self._legend(self._right - self._left)
        height = pad + (len(faces) + len(legend)) * self._row + pad
        strip = Image.new("RGB", (self._picture[0], height), _GROUND)
        pen = ImageDraw.Draw(strip)
        best = runs(self._timeline)
        for i, face in enumerate(faces):
            y0, y1 = pad + i * self._row, pad + i * self._row + size
            pen.text((pad, y0), f"face {face}", fill=_TEXT, font=self._font)
            for cell in self._cells[face]:
                pen.rectangle((self._x(cell.start), y0, self._x(cell.end), y1), fill=_TRACK)
            for run in best[face]:
                color = self._colors.get(run.label, MUTED)
                # Two runs that touch stay apart by a pixel.
                end = max(self._x(run.start), self._x(run.end) - 1)
                pen.rectangle((self._x(run.start), y0, end, y1), fill=color)
        for j, line in enumerate(legend):
            y = pad + (len(faces) + j) * self._row
            x = self._left
            for name, color in line:
                pen.rectangle((x, y + size // 4, x + size // 2, y + 3 * size // 4), fill=color)
                pen.text((x + size // 2 + pad, y), name, fill=_TEXT, font=self._font)
                x += self._entry(name)
        self._marks = (self._picture[1] + pad, self._picture[1] + pad + len(faces) * self._row)
        return strip

    def _entry(self, name: str) -> int:
        return round(self._font.getlength(name)) + _height(self._font) + 3 * self._pad

    def _legend(self, width: int) -> list[list[tuple[str, str]]]:
        """Break the names of the colors that occur into lines; one at least, for the clock."""
        best_runs = runs(self._timeline)
        best = {run.label for track_runs in best_runs.values() for run in track_runs}
        named = [(_short(la), color) for la, color in self._colors.items() if la in best]
        if best - self._colors.keys():
            named.append(("other", MUTED))
        lines: list[list[tuple[str, str]]] = [[]]
        used = 0
        for name, color in named:
            if lines[-1] and used + self._entry(name) > width:
                lines.append([])
                used = 0
            lines[-1].append((name, color))
            used += self._entry(name)
        return lines

    def _x(self, time: float) -> int:
        length = max(self._end - self._begin, 1e-3)
        share = min(max((time - self._begin) / length, 0.0), 1.0)
        return self._left + round(share * (self._right - self._left))

    def _draw_clock(self, pen: Any, time: float) -> None:
        top, bottom = self._marks
        x = self._x(time)
        pen.line((x, top - 2, x, bottom - self._pad + 2), fill="white", width=self._line)
        text = clock(math.floor(time), hours=self._end >= 3600)
        pen.text((self._pad, bottom), text, fill=_TEXT, font=self._font)


def _overlap(a: Rect, b: Rect) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _short(label: str) -> str:
    return label if len(label) <= _LETTERS else label[: _LETTERS - 1] + "…"


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    try:
        return ImageFont.truetype("DejaVuSans.ttf", size)  # more letters, where the system has it
    except OSError:
        return ImageFont.load_default(size)  # type: ignore[return-value]


def _height(font: ImageFont.FreeTypeFont) -> int:
    return sum(font.getmetrics())


@lru_cache(maxsize=256)
def _chip(text: str, color: str, font: ImageFont.FreeTypeFont, pad: int) -> Image.Image:
    """Return a text on its color, dark or light as reads better."""
    from PIL import Image, ImageColor, ImageDraw

    r, g, b = ImageColor.getrgb(color)[:3]
    ink = "black" if 0.299 * r + 0.587 * g + 0.114 * b > 110 else "white"
    chip = Image.new("RGB", (round(font.getlength(text)) + 2 * pad, _height(font) + 2), color)
    ImageDraw.Draw(chip).text((pad, 1), text, fill=ink, font=font)
    return chip
