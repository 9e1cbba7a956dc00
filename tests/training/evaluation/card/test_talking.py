"""The card's row about heads that talk."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from emoclip_sdk.training.data.ferplus import FERPLUS_CLASSES
from emoclip_sdk.training.evaluation.card import talking
from emoclip_sdk.training.heads.render import HeadScene, RenderedHead
from emoclip_sdk.training.heads.talking import TalkingHead


def test_open_mouths_taken_for_surprise_lower_the_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that reads the mean gray of a clip as the number of a class."""
    surprise, anger = FERPLUS_CLASSES.index("surprise"), FERPLUS_CLASSES.index("anger")
    drawn = (("neutral", 0), ("neutral", surprise), ("neutral", 0), ("anger", anger), ("fear", 0))

    def render(_: object, person: int) -> Iterator[TalkingHead]:
        for emotion, seen in drawn:
            picture = np.full((2, 2, 3), seen, np.uint8)
            yield TalkingHead((RenderedHead(picture, {}, HeadScene()),) * 4, emotion, 1.0)

    def frames(_: object, clips: list) -> list[np.ndarray]:
        assert all(clip.video.shape == (4, 2, 2, 3) for clip in clips)
        return [np.eye(8, dtype=np.float32)[clip.video[:, 0, 0, 0]] for clip in clips]

    monkeypatch.setattr(talking, "render_talking", render)
    monkeypatch.setattr(talking, "clip_frames", frames)
    monkeypatch.setattr(
        talking, "pool_frames", lambda _, clips: np.stack([c.mean(axis=0) for c in clips])
    )
    row = talking.talking_row(None, None, np.eye(8, dtype=np.float32), FERPLUS_CLASSES)
    assert row.n == 5 * talking.PEOPLE
    assert row.values == {
        "at rest besides, called neutral": pytest.approx(2 / 3, abs=1e-3),
        "mean recall of emotions": pytest.approx(0.5),
    }
    assert row.details["at rest besides, called"]["surprise"] == pytest.approx(1 / 3, abs=1e-3)
    assert set(row.details["per_class"]) == {"neutral", "anger", "fear"}
