"""Follow faces by O-Net or by landmarks? `python benchmarks/following.py FOLDER`

Boxes on real clips against MTCNN on every full frame: with the shipped tracker, and with one that
follows a face between key frames by its landmarks, each frame's square being that of the landmarks
of the frame before. "fast": every third frame only, as if faces moved three times as fast.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emoclip_sdk import EmoCLIP
from emoclip_sdk.diagnostics.bench.reference import ReferencePipeline
from emoclip_sdk.faces import Box, Detection, MTCNNDetector
from emoclip_sdk.faces.boxes import center, iou
from emoclip_sdk.faces.frames import LOOK_AHEAD
from emoclip_sdk.faces.key_frames import (
    KeyFrameTracker,
    Observation,
    TrackedFrame,
    key_frame_groups,
)
from emoclip_sdk.faces.landmarks import FaceLandmarker
from emoclip_sdk.faces.regions import FaceRegion, region_from_box, region_from_landmarks
from emoclip_sdk.faces.tracking import Candidate
from emoclip_sdk.video import Frame, open_video

RATE = 7


class ByLandmarks(KeyFrameTracker):
    """Follows faces by landmarks from one key frame on; a detector's box is kept about them."""

    landmarker = FaceLandmarker()

    def _fill_between(
        self, old: TrackedFrame, between: list[Frame], key: Frame, candidates: list[Candidate]
    ) -> list[TrackedFrame] | None:
        pairs = self._tracker.match(candidates, key.time)
        if pairs is None:
            return None
        filled = [TrackedFrame(frame, False) for frame in between]
        for track, detection in pairs:
            start = old.find(track)
            if start is None:
                continue
            first, last = self._place(old.frame, start.box), self._place(key, detection.box)
            if first is None or last is None:
                return None
            region, about_first = first
            _, about_last = last
            for tracked in filled:
                seen = self._look(tracked.frame, region)
                if seen is None:
                    return None
                region = seen
                span = key.time - old.frame.time
                share = (tracked.frame.time - old.frame.time) / span
                about = [
                    (1 - share) * a + share * b
                    for a, b in zip(about_first, about_last, strict=True)
                ]
                x, y = region.x + about[0] * region.side, region.y + about[1] * region.side
                w, h = about[2] * region.side / 2, about[3] * region.side / 2
                box = (x - w, y - h, x + w, y + h)
                tracked.observations.append(Observation(track, box, 1.0, True, None))
        return filled

    def _look(self, frame: Frame, region: FaceRegion) -> FaceRegion | None:
        shapes = self.landmarker([frame.rgb], [region])
        return region_from_landmarks(shapes.landmarks[0]) if shapes.presence[0] >= 0.5 else None

    def _place(self, frame: Frame, box: Box) -> tuple[FaceRegion, Sequence[float]] | None:
        """Return the square of a face's landmarks, and how its box lies about it."""
        region = self._look(frame, region_from_box(box))
        if region is None:
            return None
        x, y = center(box)
        sides = (box[2] - box[0]) / region.side, (box[3] - box[1]) / region.side
        return region, ((x - region.x) / region.side, (y - region.y) / region.side, *sides)


class Counting:
    """A detector that knows how many frames it has seen."""

    def __init__(self, detector: MTCNNDetector) -> None:
        self.detector, self.n, self.follow = detector, 0, detector.follow

    def detect(self, frames: Sequence[Any]) -> list[list[Detection]]:
        """Detect and count."""
        self.n += len(frames)
        return self.detector.detect(frames)


def main(folder: Path) -> None:
    """Print a row for each speed and tracker."""
    model = EmoCLIP.from_pretrained(device="cpu")
    config = model.config.faces
    plain = ReferencePipeline(model, list(model.labels))
    clips = [list(open_video(path).sample(RATE)) for path in sorted(folder.rglob("*.m[po][4v]"))]
    expected = [[plain.boxes(frame.rgb) for frame in frames] for frames in clips]
    print("speed   tracker      IoU >= 0.85  median   5th  missing  detected  seconds", flush=True)
    detector = MTCNNDetector(config)
    for stride, tracker in itertools.product((1, 3), (KeyFrameTracker, ByLandmarks)):
        counting, overlaps, missing, seconds = Counting(detector), [], 0, 0.0
        for frames, boxes in zip(clips, expected, strict=True):
            chosen = [Frame(i, i / RATE, frame.rgb) for i, frame in enumerate(frames[::stride])]
            begun = time.process_time()
            tracking = tracker(config, counting)
            tracked: list[Any] = []
            for groups in key_frame_groups(chosen, config.detect_every, LOOK_AHEAD):
                tracked += tracking.extend(groups)
            tracked += tracking.finish()
            seconds += time.process_time() - begun
            for reference_boxes, seen in zip(boxes[::stride], tracked, strict=True):
                if len(reference_boxes) and seen.observations:
                    first = tuple(reference_boxes[0])
                    overlaps.append(max(iou(first, o.box) for o in seen.observations))
                missing += bool(len(reference_boxes)) and not seen.observations
        good = sum(overlap >= 0.85 for overlap in overlaps) / len(overlaps)
        low = statistics.quantiles(overlaps, n=20)[0]
        print(
            f"{'fast' if stride > 1 else 'as is':6}  {tracker.__name__:15}  {good:6.3f}  "
            f"{statistics.median(overlaps):6.3f}  {low:.3f}  {missing:5}  {counting.n:7}  "
            f"{seconds:6.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
