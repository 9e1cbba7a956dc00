"""Draw the pictures of results in docs/images/ from examples/portrait.mp4.

python tools/doc_pictures.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import av

from emoclip_sdk import EmoCLIP

__all__ = ["main"]

ROOT = Path(__file__).parents[1]
CLIP = ROOT / "examples" / "portrait.mp4"
IMAGES = ROOT / "docs" / "images"
SHOWN_AT = 1.5  # seconds


def main() -> None:
    """Write timeline.png, heatmap.png and annotated.jpg."""
    model = EmoCLIP.from_pretrained(device="cpu")
    timeline = model.timeline(CLIP, window=1.0, step=0.5)
    timeline.plot(IMAGES / "timeline.png")
    timeline.heatmap(IMAGES / "heatmap.png")
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "annotated.mp4"
        timeline.annotate(CLIP, video)
        with av.open(str(video)) as file:
            frame = next(f for f in file.decode(video=0) if f.time >= SHOWN_AT)
            frame.to_image().save(IMAGES / "annotated.jpg", quality=88)


if __name__ == "__main__":
    main()
