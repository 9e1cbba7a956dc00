"""Open, decode and sample: upright RGB frames with true times. Knows no face.

Importing it imports neither torch nor PyAV nor Pillow.
"""

from __future__ import annotations

from .clip import SamplingMode, read_clip
from .clock import microseconds
from .inputs import LiveInput, VideoInput
from .live import LiveFrames, open_live
from .opening import ACCEPTED, open_video
from .part import PartSource, check_part
from .prefetch import prefetch
from .sampling import clip_window, inside, paper, uniform
from .source import Frame, VideoSource

__all__ = [
    "ACCEPTED",
    "Frame",
    "LiveFrames",
    "LiveInput",
    "PartSource",
    "SamplingMode",
    "VideoInput",
    "VideoSource",
    "check_part",
    "clip_window",
    "inside",
    "microseconds",
    "open_live",
    "open_video",
    "paper",
    "prefetch",
    "read_clip",
    "uniform",
]
