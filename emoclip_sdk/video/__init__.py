"""Open, sample, detect, track, crop: from a video to the face crops of every person in it.

Knows no model. Importing it imports neither torch nor PyAV nor Pillow.
"""

from __future__ import annotations

from .clip import SamplingMode, read_clip
from .crop import center_crop, face_crop
from .detect import Box, Detection, FaceDetector, FaceFollower, MTCNNDetector
from .faces import Face, FrameFaces, face_frames
from .live import LiveFrames, open_live
from .opening import ACCEPTED, open_video
from .prefetch import prefetch
from .sampling import inside, paper, uniform
from .source import Frame, VideoSource
from .tracking import MAX_GAP
from .tracks import TrackStats, TrackTable, most_prominent

__all__ = [
    "ACCEPTED",
    "MAX_GAP",
    "Box",
    "Detection",
    "Face",
    "FaceDetector",
    "FaceFollower",
    "Frame",
    "FrameFaces",
    "LiveFrames",
    "MTCNNDetector",
    "SamplingMode",
    "TrackStats",
    "TrackTable",
    "VideoSource",
    "center_crop",
    "face_crop",
    "face_frames",
    "inside",
    "most_prominent",
    "open_live",
    "open_video",
    "paper",
    "prefetch",
    "read_clip",
    "uniform",
]
