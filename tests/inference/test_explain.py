"""What a prediction rests on: frames left out, attention, descriptions, pictures."""

from __future__ import annotations

import dataclasses
import io
import json
import math

import numpy as np
import pytest

from emoclip_sdk import EmoCLIPError
from emoclip_sdk.inference.scorer import cosine_similarities
from emoclip_sdk.results.evidence import FrameWeight, telling

LABELS = ["happiness", "anger", "boredom"]


def test_frames_left_out(tiny_model, stripes):
    frames = stripes(40)  # two clips of 32 that overlap
    found = tiny_model.explain(frames, LABELS, faces="none", fps=7)
    result = found.prediction
    assert result == tiny_model.classify(frames, LABELS, faces="none", fps=7)
    assert [f.time for f in found.frames] == pytest.approx(np.arange(40) / 7)
    assert sum(f.attention for f in found.frames) == pytest.approx(1)

    # The first frame is in the first clip alone; without it, this clip begins with a gap.
    read = tiny_model.read(frames, faces="none", fps=7)
    vectors = np.stack([frame.faces[0] for frame in read])
    scorer = tiny_model.scorer(LABELS, "average", 0)
    rest = tiny_model.encoder.pool(vectors, [[-1, *range(1, 32)], range(8, 40)])
    without = scorer.scores(rest).mean(axis=0)[LABELS.index(result.label)]
    assert found.frames[0].change == pytest.approx(result.scores[result.label] - without, abs=1e-6)
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_second_about_each_frame_is_scored_by_itself(tiny_model, stripes):
    explanation = tiny_model.explain(stripes(20), LABELS, faces="none", fps=7)
    vectors = np.stack([f.faces[0] for f in tiny_model.read(stripes(20), faces="none", fps=7)])
    scorer = tiny_model.scorer(LABELS, "average", 0)
    about = scorer.scores(scorer.pool(vectors, [range(7, 14)]))[0]  # 10 and 0.5 s on either side
    assert list(explanation.frames[10].scores.values()) == pytest.approx(about.tolist(), abs=1e-6)


def test_frames_are_chosen_where_the_scores_differ():
    def frames(*joy):
        return [{"joy": score, "rage": 1 - score} for score in joy]

    assert telling(frames(0.9, 0.9, 0.1, 0.11, 0.5, 0.9), "joy", 3) == [0, 2, 4]
    assert telling(frames(0.98, 0.981, 0.979), "joy", 8) == [1], "the others are like it"
    assert telling([], "joy", 3) == []


@pytest.mark.parametrize(("change", "counts"), [(0.2, True), (-0.2, True), (4e-5, False)])
def test_what_is_noise_does_not_count(change, counts):
    frame = FrameWeight(0.0, (0, 0, 1, 1), {"joy": 1.0}, change, 1.0)
    assert frame.counts == counts
    assert not dataclasses.replace(frame, change=math.nan).counts


def test_attention_of_the_class_token(tiny_model, stripes):
    """A frame that may not be looked at has none, and one layer's rollout is its attention."""
    import torch

    temporal = tiny_model.encoder.network.temporal
    frames = torch.randn(1, 5, tiny_model.encoder.width)
    mask = torch.tensor([[True, True, False, True, True]])
    shares = temporal.attention(frames, mask)
    assert shares.sum().item() == pytest.approx(1) and shares[0, 2] == 0
    x, attend = temporal._tokens(frames, mask)
    attention = temporal.layers[0].attention
    direct = attention.weights(x, attend)[0, 0, 1:]
    torch.testing.assert_close(shares[0], direct / direct.sum())
    # The weights are those by which forward() mixes the values.
    _, _, v = attention._heads(x)
    q, k, _ = attention._heads(x)
    by_head = (q @ k.mT * q.shape[-1] ** -0.5).masked_fill(~attend, -torch.inf).softmax(-1)
    mixed = attention.out((by_head @ v).transpose(1, 2).reshape(1, 6, -1))
    torch.testing.assert_close(attention(x, attend), mixed)


def test_descriptions(tiny_model, crop_video):
    found = tiny_model.explain(crop_video, LABELS, faces="none")
    texts = tiny_model.prompts.descriptions("anger")
    matches = found.descriptions["anger"]
    assert sorted(m.text for m in matches) == sorted(texts)
    assert [m.similarity for m in matches] == sorted((m.similarity for m in matches), reverse=True)
    video = tiny_model.embed(crop_video, faces="none")
    expected = cosine_similarities(video[None], tiny_model.embed_text(texts))[0]
    assert {m.text: m.similarity for m in matches} == pytest.approx(
        dict(zip(texts, expected, strict=True)), abs=1e-5
    )


def test_boxes_pictures_and_strip(detecting_model, two_faces, tmp_path):
    from PIL import Image

    found = detecting_model.explain(two_faces, LABELS, fps=10, track=1, n_pictures=4)
    assert found.prediction.track == 1
    assert all(frame.box == pytest.approx((90, 20, 120, 50)) for frame in found.frames)
    pictured = tuple(frame for frame in found.frames if frame.picture)
    pictures = [frame.picture for frame in pictured]
    assert pictured == found.top_frames(4) and 1 <= len(pictures) <= 4
    assert Image.open(io.BytesIO(pictures[0])).size == (160, 160)
    found.strip(tmp_path / "strip.png")
    assert Image.open(tmp_path / "strip.png").width > 600
    with pytest.raises(EmoCLIPError, match="can't be written"):
        found.strip(tmp_path / "strip.nothing")


def test_one_picture_and_no_face(detecting_model, tiny_model, two_faces, stripes):
    one = tiny_model.explain(stripes(1), LABELS, faces="none")
    assert math.isnan(one.frames[0].change) and one.frames[0].attention == pytest.approx(1)
    one.strip()
    nobody = detecting_model.explain(two_faces[30:], LABELS)
    assert not nobody.prediction.face_found and nobody.frames == ()
    with pytest.raises(EmoCLIPError, match="no face to draw"):
        nobody.strip()


def test_refuses(tiny_model, stripes):
    with pytest.raises(EmoCLIPError, match="one face"):
        tiny_model.explain(stripes(3), track="all")
    with pytest.raises(EmoCLIPError, match="give it the video"):
        tiny_model.explain(tiny_model.read(stripes(3), faces="none"))


def test_actions_against_the_other_frames(embedded_model, media):
    clip = media / "pyfeat" / "single_face.mp4"  # neutral, then a smile
    found = embedded_model.explain(clip, ["happiness", "neutral"])
    assert found.prediction.actions is None, "as classify gives it"
    assert found.frames[0].action_text == "less: a wide grin that shows the teeth"
    assert "more: a wide grin that shows the teeth" in found.action_text
    assert found.to_records()[0]["action_text"] == found.frames[0].action_text
    json.dumps(found.to_dict(), allow_nan=False)
