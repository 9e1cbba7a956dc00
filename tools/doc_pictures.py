"""Draw the pictures in docs/images/, those of results from examples/expressions.mp4.

python tools/doc_pictures.py [idea | ict_facekit.npz]

Asked for one of them alone: the picture of the idea, or the heads.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import av
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from PIL import Image

from emoclip_sdk import EmoCLIP
from emoclip_sdk.export.style import INK, MUTED, OKABE_ITO
from emoclip_sdk.training.heads.portraits import read_portraits
from emoclip_sdk.training.heads.render import HeadModel, HeadScene

__all__ = ["heads", "idea", "main"]

ROOT = Path(__file__).parents[1]
CLIP = ROOT / "examples" / "expressions.mp4"
IMAGES = ROOT / "docs" / "images"
SHOWN_AT = 6.2  # seconds
FACES_AT = (0.8, 2.6, 6.2)  # likewise, and the face then, in pixels
FACE_BOX = (118, 60, 278, 220)


def idea() -> None:
    """Write idea.png: video and sentences become vectors that are compared."""
    blue, orange, green = OKABE_ITO[:3]
    figure = Figure(figsize=(10, 4.1))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 100), ylim=(0, 41))
    axes.axis("off")

    def box(x: float, y: float, width: float, text: str, color: str, height: float = 8) -> None:
        shape = FancyBboxPatch(
            (x, y),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=1.2",
            fc="white",
            ec=color,
            lw=1.8,
        )
        axes.add_patch(shape)
        axes.text(
            x + width / 2, y + height / 2, text, ha="center", va="center", color=INK, size=10.5
        )

    def arrow(x0: float, y0: float, x1: float, y1: float) -> None:
        axes.add_patch(
            FancyArrowPatch(
                (x0, y0), (x1, y1), arrowstyle="-|>", mutation_scale=13, color=MUTED, lw=1.6
            )
        )

    for i, time in enumerate(FACES_AT):
        face = _frame(CLIP, time).crop(FACE_BOX)
        x, y = 0.8 + 5.2 * i, 27.2 - 1.5 * i
        axes.imshow(face, extent=(x, x + 7, y, y + 7), aspect="auto", zorder=3 + i)
    axes.text(9.5, 21.3, "faces of a clip", ha="center", color=INK, size=10.5)
    top, low = 26.5, 6.0
    box(22, top, 14, "image tower\nfor each frame", blue)
    box(41, top, 14, "transformer\nover time", blue)
    box(1.5, low, 15, "your labels:\nhappy, wry, ...", orange)
    box(22, low, 14, "prompt bank:\nwhat a face does", orange)
    box(41, low, 14, "text tower,\nmean of texts", orange)
    box(64, 16.3, 12, "cosine", green)
    box(82, 16.3, 16, "softmax over\nyour labels", green)
    arrow(18, top + 4, 21.6, top + 4)
    arrow(36.4, top + 4, 40.6, top + 4)
    arrow(55.4, top + 4, 66, 24.8)
    arrow(16.9, low + 4, 21.6, low + 4)
    arrow(36.4, low + 4, 40.6, low + 4)
    arrow(55.4, low + 4, 66, 15.9)
    arrow(76.4, 20.3, 81.6, 20.3)
    axes.text(64.5, 31, "one vector of the clip", color=INK, size=10, style="italic")
    axes.text(64.5, 8.2, "one vector of each label", color=INK, size=10, style="italic")
    axes.text(
        22, 1.2, '"The lip corners rise, the cheeks lift."', color=INK, size=10, style="italic"
    )
    axes.set(xlim=(0, 100), ylim=(0, 41))
    figure.savefig(IMAGES / "idea.png", dpi=150)


HEADS: dict[str, dict[str, float]] = {
    "at rest": {},
    "smile": {"mouthSmile_L": 1, "mouthSmile_R": 1},
    "left corner up": {"mouthSmile_L": 1},
    "nose wrinkled": {"noseSneer_L": 1, "noseSneer_R": 1},
    "brows down": {"browDown_L": 1, "browDown_R": 1},
    "right eye closed": {"eyeBlink_R": 1},
    "corners down": {"mouthFrown_L": 1, "mouthFrown_R": 1},
    "jaw dropped": {"jawOpen": 0.8},
}


def heads(path: Path) -> None:
    """Draw one person of ICT-FaceKit's, and a portrait that it moves, with single expressions."""
    model = HeadModel(path)
    person = model.person(np.random.default_rng(3))
    photograph = np.asarray(_frame(CLIP, 0.0).crop(FACE_BOX))
    (portrait,) = read_portraits(model, [photograph])
    figure = Figure(figsize=(9.6, 2.7), layout="constrained")
    for (head, moved), (title, strengths) in zip(
        figure.subplots(2, len(HEADS)).T, HEADS.items(), strict=True
    ):
        head.imshow(model.render(person, strengths, HeadScene()).picture)
        head.set_title(title, fontsize=8, color=INK)
        moved.imshow(portrait.render(strengths).picture)
        for axes in (head, moved):
            axes.axis("off")
    figure.savefig(IMAGES / "heads.png", dpi=110)


def main() -> None:
    """Write idea.png, and timeline.png, heatmap.png, annotated.jpg, actions.png and explain.png."""
    match sys.argv[1:]:
        case ["idea"]:
            idea()
            return
        case [path]:
            heads(Path(path))
            return
    idea()
    model = EmoCLIP.from_pretrained(device="cpu")
    timeline = model.timeline(CLIP, window=1.0, step=0.25)
    timeline.plot(IMAGES / "timeline.png")
    timeline.heatmap(IMAGES / "heatmap.png")
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "annotated.mp4"
        timeline.annotate(CLIP, video)
        _frame(video, SHOWN_AT).save(IMAGES / "annotated.jpg", quality=88)
    model.actions(CLIP).heatmap(IMAGES / "actions.png")
    explanation = model.explain(CLIP, ["happiness", "surprise", "neutral"], start=4.5, end=6.5)
    explanation.strip(IMAGES / "explain.png")
    with Image.open(IMAGES / "explain.png") as picture:
        picture.convert("RGB").quantize(256).save(IMAGES / "explain.png", optimize=True)


def _frame(video: Path, time: float) -> Image.Image:
    with av.open(str(video)) as file:
        return next(f.to_image() for f in file.decode(video=0) if f.time >= time)


if __name__ == "__main__":
    main()
