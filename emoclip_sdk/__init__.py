"""Zero-shot recognition of apparent expressions in video. See :class:`EmoCLIP`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .batch import BatchReport, run_actions, run_batch
    from .config import FaceConfig, ModelConfig
    from .errors import (
        BatchError,
        CheckpointError,
        DatasetError,
        EmoCLIPError,
        HubError,
        MissingDependencyError,
        PromptError,
        VideoError,
    )
    from .faces import (
        Detection,
        FaceDetector,
        FaceFollower,
        FaceQuality,
        SmallFaceDetector,
        TrackPerson,
    )
    from .inference.options import ReadOptions
    from .inference.stream import FaceStream
    from .model import EmoCLIP
    from .probes.probe import RegressionProbe
    from .prompts import PromptBank
    from .results.action_words import describe_actions, describe_changes
    from .results.actions import ActionRow, FaceActions
    from .results.analysis import Episode, TrackSummary
    from .results.baseline import FaceBaseline
    from .results.event_files import read_events
    from .results.events import Event, EventScores
    from .results.evidence import DescriptionMatch, FrameWeight
    from .results.explanation import Explanation
    from .results.features import FaceFeatures
    from .results.live import LiveResult
    from .results.ratings import ProbeResult, ScoreEstimate
    from .results.records import FaceTrack, ModelInfo, Prediction
    from .results.reliability import LabelReliability
    from .results.scored_windows import TimelineRow
    from .results.speech import Speech, Utterance
    from .results.speech_files import read_speech
    from .results.synchrony import Synchrony
    from .results.timeline import Timeline
    from .runtime.progress import Progress
    from .selection.compare import Comparison, compare_models
    from .selection.few_shot import FewShotReport
    from .video import VideoInput, VideoSource, open_video

__version__ = "0.1.0"

__all__ = [
    "ActionRow",
    "BatchError",
    "BatchReport",
    "CheckpointError",
    "Comparison",
    "DatasetError",
    "DescriptionMatch",
    "Detection",
    "EmoCLIP",
    "EmoCLIPError",
    "Episode",
    "Event",
    "EventScores",
    "Explanation",
    "FaceActions",
    "FaceBaseline",
    "FaceConfig",
    "FaceDetector",
    "FaceFeatures",
    "FaceFollower",
    "FaceQuality",
    "FaceStream",
    "FaceTrack",
    "FewShotReport",
    "FrameWeight",
    "HubError",
    "LabelReliability",
    "LiveResult",
    "MissingDependencyError",
    "ModelConfig",
    "ModelInfo",
    "Prediction",
    "ProbeResult",
    "Progress",
    "PromptBank",
    "PromptError",
    "ReadOptions",
    "RegressionProbe",
    "ScoreEstimate",
    "SmallFaceDetector",
    "Speech",
    "Synchrony",
    "Timeline",
    "TimelineRow",
    "TrackPerson",
    "TrackSummary",
    "Utterance",
    "VideoError",
    "VideoInput",
    "VideoSource",
    "__version__",
    "compare_models",
    "describe_actions",
    "describe_changes",
    "open_video",
    "read_events",
    "read_speech",
    "run_actions",
    "run_batch",
]

# Names are looked up on first use: importing the package takes no torch and no time.
_MODULES = {
    "ActionRow": "results.actions",
    "BatchReport": "batch",
    "Comparison": "selection.compare",
    "DescriptionMatch": "results.evidence",
    "Detection": "faces",
    "EmoCLIP": "model",
    "Episode": "results.analysis",
    "Event": "results.events",
    "EventScores": "results.events",
    "Explanation": "results.explanation",
    "FaceActions": "results.actions",
    "FaceBaseline": "results.baseline",
    "FaceConfig": "config",
    "FaceDetector": "faces",
    "FaceFeatures": "results.features",
    "FaceFollower": "faces",
    "FaceQuality": "faces",
    "FaceStream": "inference.stream",
    "FaceTrack": "results.records",
    "FewShotReport": "selection.few_shot",
    "FrameWeight": "results.evidence",
    "LabelReliability": "results.reliability",
    "LiveResult": "results.live",
    "ModelConfig": "config",
    "ModelInfo": "results.records",
    "Prediction": "results.records",
    "ProbeResult": "results.ratings",
    "Progress": "runtime.progress",
    "PromptBank": "prompts",
    "ReadOptions": "inference.options",
    "RegressionProbe": "probes.probe",
    "ScoreEstimate": "results.ratings",
    "SmallFaceDetector": "faces",
    "Speech": "results.speech",
    "Synchrony": "results.synchrony",
    "Timeline": "results.timeline",
    "TimelineRow": "results.scored_windows",
    "TrackPerson": "faces",
    "TrackSummary": "results.analysis",
    "Utterance": "results.speech",
    "VideoInput": "video",
    "VideoSource": "video",
    "compare_models": "selection.compare",
    "describe_actions": "results.action_words",
    "describe_changes": "results.action_words",
    "open_video": "video",
    "read_events": "results.event_files",
    "read_speech": "results.speech_files",
    "run_actions": "batch",
    "run_batch": "batch",
    **dict.fromkeys((name for name in __all__ if name.endswith("Error")), "errors"),
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'emoclip_sdk' has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
