"""Compare the landmark networks with MediaPipe's own runtime.

    pip install mediapipe ai-edge-litert
    python tools/compare_face_landmarker.py face_landmarker.task CLIPS... --ferplus ferplus.npz

Two comparisons, each over the frames of clips (every fifth), pictures, and 500 pictures of FER+
(four times enlarged):

- *same crop*: TFLite's interpreter and the torch modules on the same 256 x 256 crops, and the
  blendshape networks on the same points. This is the check of the conversion.
- *end to end*: MediaPipe's whole Face Landmarker (its detector, its crop, every picture for itself)
  and this package's: MTCNN's box, and a second look at the square about the landmarks.

Distances are shares of the distance between the eyes (the middles between their corners), over all
points of all faces. Prints Markdown.
"""

from __future__ import annotations

import argparse
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from emoclip_sdk.faces import MTCNNDetector
from emoclip_sdk.faces.head_pose import head_pose
from emoclip_sdk.faces.landmarks import (
    FaceLandmarker,
    FaceShapes,
    crop_region,
    load_face_networks,
)
from emoclip_sdk.faces.regions import FaceRegion, region_from_box, region_from_landmarks
from emoclip_sdk.nn.blendshapes import BLENDSHAPE_POINTS

__all__ = ["main"]

_EVERY = 5  # frames
_PICTURES = 500  # of FER+
_ENLARGED = 4
_RIGHT_EYE, _LEFT_EYE = (33, 133), (263, 362)

_SAME_CROP = """Same crop:

| set | faces | landmarks: median | 95 % | largest | presence: largest | blendshapes: median | 95 % | largest |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |"""  # noqa: E501
_END_TO_END = """End to end:

| set | seen | faces by MTCNN | by MediaPipe | by both | landmarks: median | 95 % | blendshapes: median | 95 % | yaw, pitch, roll: median degrees |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"""  # noqa: E501

Rgb = NDArray[np.uint8]
Values = NDArray[np.floating]


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("task", type=Path, help="face_landmarker.task")
    parser.add_argument("files", type=Path, nargs="*", help="clips and pictures")
    parser.add_argument("--ferplus", type=Path, help="ferplus.npz: images (N, 48, 48), votes")
    args = parser.parse_args()
    sets = {"clips and pictures": [rgb for path in args.files for rgb in frames_of(path)]}
    if args.ferplus:
        sets["FER+"] = ferplus(args.ferplus)
    torch.set_num_threads(1)
    interpreter, runtime = Interpreters(args.task), Runtime(args.task)
    landmarker, detector = FaceLandmarker(), MTCNNDetector()
    same, whole = [_SAME_CROP], [_END_TO_END]
    for name, frames in sets.items():
        detections = detector.detect(frames)
        largest = [(rgb, d[0].box) for rgb, d in zip(frames, detections, strict=True) if d]
        pictures = [rgb for rgb, _ in largest]
        shapes = landmarker(pictures, [region_from_box(box) for _, box in largest])
        regions = [region_from_landmarks(points) for points in shapes.landmarks]
        same.append(f"| {name} | {same_crop(interpreter, pictures, regions)} |")
        shapes = landmarker(pictures, regions)
        whole.append(f"| {name} | {end_to_end(runtime, shapes, frames, pictures)} |")
    runtime.landmarker.close()
    print("\n".join([*same, "", *whole]))
    return 0


def frames_of(path: Path) -> Iterator[Rgb]:
    """Yield every fifth frame of a clip, or a picture."""
    if path.suffix.lower() in (".jpg", ".jpeg", ".png"):
        yield np.array(Image.open(path).convert("RGB"))
        return
    with av.open(str(path)) as container:
        for i, frame in enumerate(container.decode(video=0)):
            if i % _EVERY == 0:
                yield frame.to_ndarray(format="rgb24")


def ferplus(path: Path) -> list[Rgb]:
    """Draw pictures that annotators took for faces, in color and larger."""
    with np.load(path, allow_pickle=False) as data:
        images, votes = data["images"], data["votes"]
    faces = np.flatnonzero(votes.argmax(axis=1) < votes.shape[1] - 2)  # unknown, not a face
    rows = np.random.default_rng(0).choice(faces, _PICTURES, replace=False)
    side = images.shape[1] * _ENLARGED
    return [
        np.array(
            Image.fromarray(images[i]).resize((side, side), Image.Resampling.BICUBIC).convert("RGB")
        )
        for i in rows
    ]


class Interpreters:
    """TFLite's interpreter on the two networks of the file."""

    def __init__(self, task: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.networks: list[Any] = []
        with zipfile.ZipFile(task) as archive:
            for name in ("face_landmarks_detector", "face_blendshapes"):
                content = archive.read(f"{name}.tflite")
                network = Interpreter(model_content=content, num_threads=1)
                network.allocate_tensors()
                self.networks.append(network)

    def run(self, which: int, value: Values) -> list[Values]:
        """Return the outputs of one network for one input."""
        network = self.networks[which]
        network.set_tensor(network.get_input_details()[0]["index"], value[None].astype(np.float32))
        network.invoke()
        return [network.get_tensor(output["index"]) for output in network.get_output_details()]


class Runtime:
    """MediaPipe's Face Landmarker."""

    def __init__(self, task: Path) -> None:
        from mediapipe.tasks.python import BaseOptions, vision

        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(task)),
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
        self.landmarker = vision.FaceLandmarker.create_from_options(options)

    def run(self, rgb: Rgb) -> tuple[Values, Values, Values] | None:
        """Return landmarks in pixels, blendshapes and the pose's matrix of a picture's face."""
        import mediapipe

        image = mediapipe.Image(
            image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(rgb)
        )
        result = self.landmarker.detect(image)
        if not result.face_landmarks:
            return None
        height, width = rgb.shape[:2]
        points = np.array([(p.x, p.y, p.z) for p in result.face_landmarks[0]])
        points *= [width, height, width]
        scores = np.array([category.score for category in result.face_blendshapes[0]])
        return points, scores, np.array(result.facial_transformation_matrixes[0])


def same_crop(
    interpreter: Interpreters, pictures: Sequence[Rgb], regions: Sequence[FaceRegion]
) -> str:
    """Return a row of the first table."""
    landmarks, blendshapes = load_face_networks()
    distances, presences, scores = [], [], []
    for rgb, region in zip(pictures, regions, strict=True):
        with torch.inference_mode():
            crop = crop_region(rgb, region)
            ours = landmarks(crop)
            expected, logit, _ = interpreter.run(0, crop[0].permute(1, 2, 0).numpy())
            points = expected.reshape(-1, 3)
            distances.append(shares(ours.points[0].numpy(), points))
            expected_presence = 1 / (1 + np.exp(-float(logit.ravel()[0])))
            presences.append(abs(float(ours.presence[0]) - expected_presence))
            used = points[list(BLENDSHAPE_POINTS), :2]
            there = blendshapes(torch.from_numpy(used)[None])[0].numpy()
            scores.append(np.abs(there - interpreter.run(1, used)[0]))
    d, s = np.concatenate(distances), np.concatenate(scores)
    return " | ".join(
        [
            str(len(regions)),
            *map(percent, (np.median(d), np.percentile(d, 95), d.max())),
            f"{max(presences):.1e}",
            *(f"{value:.1e}" for value in (np.median(s), np.percentile(s, 95), s.max())),
        ]
    )


def end_to_end(
    runtime: Runtime, shapes: FaceShapes, frames: Sequence[Rgb], pictures: Sequence[Rgb]
) -> str:
    """Return a row of the second table; `pictures` are the frames that `shapes` are from."""
    pose = head_pose(shapes.landmarks)
    ours = {id(rgb): i for i, rgb in enumerate(pictures)}
    distances, scores, angles = [], [], []
    seen = both = 0
    for rgb in frames:
        theirs = runtime.run(rgb)
        seen += theirs is not None
        i = ours.get(id(rgb))
        if theirs is None or i is None:
            continue
        points, blendshapes, matrix = theirs
        share = shares(shapes.landmarks[i], points)
        if np.median(share) > 1:  # another face
            continue
        both += 1
        distances.append(share)
        scores.append(np.abs(shapes.blendshapes[i] - blendshapes))
        forward = matrix[:3, 2] / np.linalg.norm(matrix[:3, 2])
        up = matrix[1, :2] / np.linalg.norm(matrix[:3, 0])
        expected = np.degrees(
            [np.arctan2(forward[0], forward[2]), np.arcsin(forward[1]), np.arctan2(-up[0], up[1])]
        )
        angles.append(np.abs(expected - [pose.yaw[i], pose.pitch[i], pose.roll[i]]))
    d, s = np.concatenate(distances), np.concatenate(scores)
    turned = ", ".join(f"{value:.1f}" for value in np.median(angles, axis=0))
    return (
        f"{len(frames)} | {len(pictures)} | {seen} | {both} "
        f"| {percent(np.median(d))} | {percent(np.percentile(d, 95))} | {np.median(s):.4f} "
        f"| {np.percentile(s, 95):.3f} | {turned}"
    )


def shares(points: Values, expected: Values) -> Values:
    """Return the distances between points in the picture, over the distance between the eyes."""
    eyes = [expected[list(eye), :2].mean(axis=0) for eye in (_RIGHT_EYE, _LEFT_EYE)]
    between = np.linalg.norm(eyes[0] - eyes[1])
    return np.linalg.norm((points - expected)[:, :2], axis=1) / between


def percent(value: float) -> str:
    """Write a share."""
    return f"{100 * value:.4f} %" if value < 0.001 else f"{100 * value:.2f} %"


if __name__ == "__main__":
    sys.exit(main())
