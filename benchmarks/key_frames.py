"""How far apart may key frames be? `python benchmarks/key_frames.py FOLDER`

Boxes on real clips against MTCNN on every full frame, and the time that finding faces takes.
"""

from __future__ import annotations

import dataclasses
import statistics
import sys
import time
from pathlib import Path

from emoclip_sdk import EmoCLIP
from emoclip_sdk.diagnostics.bench.reference import ReferencePipeline
from emoclip_sdk.faces import MTCNNDetector, face_frames
from emoclip_sdk.faces.boxes import iou
from emoclip_sdk.video import open_video

DISTANCES = (1, 2, 4, 6, 8)  # farther ones are cut by the time between key frames
RATE = 7


def main(folder: Path) -> None:
    """Print a row for each distance."""
    model = EmoCLIP.from_pretrained(device="cpu")
    plain = ReferencePipeline(model, list(model.labels))
    detector = MTCNNDetector(model.config.faces)
    clips = [list(open_video(path).sample(RATE)) for path in sorted(folder.rglob("*.m[po][4v]"))]
    expected = [[plain.boxes(frame.rgb) for frame in frames] for frames in clips]
    print("every  IoU >= 0.85  median  missing  seconds")
    for every in DISTANCES:
        config = dataclasses.replace(model.config.faces, detect_every=every)
        overlaps, missing = [], 0
        begun = time.perf_counter()
        for frames, boxes in zip(clips, expected, strict=True):
            tracked = face_frames(frames, config, size=48, detector=detector)
            for reference_boxes, seen in zip(boxes, tracked, strict=True):
                if len(reference_boxes) and seen.faces:
                    overlaps.append(
                        max(iou(tuple(reference_boxes[0]), face.box) for face in seen.faces)
                    )
                missing += bool(len(reference_boxes)) and not seen.faces
        seconds = time.perf_counter() - begun
        good = sum(overlap >= 0.85 for overlap in overlaps) / len(overlaps)
        median = statistics.median(overlaps)
        print(f"{every:5}  {good:11.3f}  {median:6.3f}  {missing:7}  {seconds:7.1f}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
