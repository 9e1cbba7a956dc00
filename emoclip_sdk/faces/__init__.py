"""Detect, track and crop: who is where in sampled frames. Knows no label and no model.

Importing it imports neither torch nor PyAV nor Pillow.
"""

from __future__ import annotations

from .boxes import Box
from .crop import center_crop, face_crop
from .detector import Detection, FaceDetector, FaceFollower, SmallFaceDetector
from .frames import Face, FrameFaces, face_frames
from .mtcnn import MTCNNDetector
from .quality import FaceQuality, QualityMean
from .shapes import FaceShape, Landmarker
from .track_table import TrackStats, TrackTable, most_prominent
from .tracking import MAX_GAP

__all__ = [
    "MAX_GAP",
    "Box",
    "Detection",
    "Face",
    "FaceDetector",
    "FaceFollower",
    "FaceQuality",
    "FaceShape",
    "FrameFaces",
    "Landmarker",
    "MTCNNDetector",
    "QualityMean",
    "SmallFaceDetector",
    "TrackStats",
    "TrackTable",
    "center_crop",
    "face_crop",
    "face_frames",
    "most_prominent",
]
