"""A reference pipeline to compare with: decode all, MTCNN on full frames, float32."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...faces import face_crop
from ...inference.scorer import cosine_similarities, softmax_scores
from ...model import EmoCLIP
from ...nn import preprocess

__all__ = ["ReferencePipeline"]


class ReferencePipeline:
    """Scores one clip with the weights of a model of ours and with nothing else of it.

    Parameters
    ----------
    model : EmoCLIP
        In float32.
    labels : list of str
    """

    def __init__(self, model: EmoCLIP, labels: list[str]) -> None:
        from facenet_pytorch import MTCNN

        self.model = model
        self.labels = labels
        self.text, _ = model.embed_labels(labels)
        self.mtcnn = MTCNN(keep_all=True, device=torch.device("cpu"))

    def __call__(self, path: Path) -> dict[str, float]:
        """Return the scores of a video."""
        frames = self.decode(path)
        n = self.model.config.sampling.n_frames
        chosen = [frames[(2 * i + 1) * len(frames) // (2 * n)] for i in range(n)]
        crops = np.stack([self.crop(frame) for frame in chosen])
        images = preprocess(torch.from_numpy(crops), self.model.config.image)
        network = self.model.encoder.network
        with torch.inference_mode():
            video = network.encode_video(images[None]).numpy()
        similarities = cosine_similarities(video, self.text)
        scale = self.model.encoder.logit_scale / self.model.config.calibration.temperature
        scores = softmax_scores(similarities, scale)[0]
        return dict(zip(self.labels, map(float, scores), strict=True))

    def decode(self, path: Path) -> list[NDArray[np.uint8]]:
        """Decode and convert every frame."""
        import av

        with av.open(str(path)) as container:
            return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]

    def boxes(self, frame: NDArray[np.uint8]) -> NDArray[Any]:
        """Find faces on the full frame, the largest first: (N, 4)."""
        boxes, _ = self.mtcnn.detect(frame)
        return np.zeros((0, 4)) if boxes is None else np.array([*boxes], dtype=np.float64)

    def crop(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Cut out the largest face, the middle of the picture where there is none."""
        boxes = self.boxes(frame)
        height, width = frame.shape[:2]
        if len(boxes):
            x0, y0, x1, y1 = map(float, boxes[0])
        else:
            x0, y0, x1, y1 = (width - height) / 2, 0.0, (width + height) / 2, float(height)
        config = self.model.config
        size = config.image.crop_size or config.image.size
        # How a crop goes on beyond the border of the picture is a part of the model.
        return face_crop(frame, (x0, y0, x1, y1), size, config.faces.margin)
