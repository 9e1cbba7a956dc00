"""EmoCLIP from end to end. The tiny model's scores mean nothing; how they come about does."""

from __future__ import annotations

import io
import json
import logging
import math
import pickle

import numpy as np
import pytest

from emoclip_sdk import CheckpointError, EmoCLIP, EmoCLIPError, PromptError, VideoError
from emoclip_sdk.config import ModelConfig
from emoclip_sdk.inference.scorer import cosine_similarities, softmax_scores

LABELS = ["happiness", "anger", "boredom"]


def crops(model, video, labels=LABELS, **options):
    return model.classify(video, labels, faces="none", **options)


def same(a, b):
    return a.to_dict() == b.to_dict()


# Classify


def test_one_video(tiny_model, crop_video):
    result = crops(tiny_model, crop_video)
    assert result.source == "crop.mp4" and result.duration == pytest.approx(2.0)
    assert list(result.scores) == list(result.similarities) == LABELS
    assert sum(result.scores.values()) == pytest.approx(1)
    assert all(-1 <= value <= 1 for value in result.similarities.values())
    assert result.face_found and result.track == 0 and result.n_tracks == 1
    assert result.n_frames == 14  # 2 s at 7 per second
    assert result.error is None
    assert result.model.prompt_bank == tiny_model.prompts.hash
    json.dumps(result.to_dict(), allow_nan=False)


def test_same_again_and_in_another_model(tiny_model, tiny_checkpoint, crop_video):
    first = crops(tiny_model, crop_video)
    assert same(first, crops(tiny_model, crop_video))
    assert same(first, crops(EmoCLIP.from_pretrained(tiny_checkpoint, device="cpu"), crop_video))


def test_a_model_says_what_it_is(tiny_model, tiny_checkpoint):
    assert repr(tiny_model) == (
        f"<EmoCLIP {str(tiny_checkpoint)!r} on cpu, labels: neutral, happiness, anger, surprise>"
    )


def test_labels_with_their_descriptions(tiny_model, crop_video):
    labels = {"smirk": "One corner of the lips is up.", "happiness": ["Teeth."], "anger": None}
    bank = tiny_model.prompts.hash
    result = crops(tiny_model, crop_video, labels)
    assert result.prompts == {"smirk": "custom", "happiness": "custom", "anger": "bank"}
    assert tiny_model.prompts.hash == bank != result.model.prompt_bank
    timeline = tiny_model.timeline(crop_video, labels, faces="none")
    assert timeline.prompts == result.prompts
    for name in ("smirk", "happiness"):
        tiny_model.add_label(name, labels[name])
    assert same(result, crops(tiny_model, crop_video, list(labels)))


def test_order_of_labels_changes_no_score(tiny_model, crop_video):
    forward, backward = crops(tiny_model, crop_video), crops(tiny_model, crop_video, LABELS[::-1])
    assert list(backward.scores) == LABELS[::-1]
    for label in LABELS:
        assert forward.scores[label] == pytest.approx(backward.scores[label])


def test_kinds_of_labels(tiny_model, crop_video):
    tiny_model.add_label("quorl", "Bright, wide eyes above an open smile.")
    tiny_model.add_compound("wry", {"quorl": 2, "anger": 1})
    sentence = "The brows are raised and the jaw drops."
    labels = ["joy", "quorl", "wry", "happily surprised", "wibbled", sentence]
    result = crops(tiny_model, crop_video, labels)
    assert result.prompts == {
        "joy": "bank",
        "quorl": "custom",
        "wry": "compound",
        "happily surprised": "compound",
        "wibbled": "template",
        sentence: "caption",
    }
    assert sum(result.scores.values()) == pytest.approx(1)


def test_no_labels_means_the_models_own(tiny_model, crop_video):
    assert tuple(crops(tiny_model, crop_video, None).scores) == tiny_model.labels


def test_confidence_lets_the_models_own_labels_compete(tiny_model, crop_video):
    own = crops(tiny_model, crop_video, None)
    assert own.confidence == pytest.approx(own.scores[own.label])
    for name, score in own.scores.items():
        alone = crops(tiny_model, crop_video, [name])
        assert alone.scores == {name: 1.0}
        assert alone.confidence == pytest.approx(score)
    other = crops(tiny_model, crop_video, ["boredom"])
    assert 0 < other.confidence < 1


def test_abstains_below_min_score(tiny_model, crop_video):
    assert not crops(tiny_model, crop_video, ["boredom"]).abstained
    refused = crops(tiny_model, crop_video, ["boredom"], min_score=0.999)
    assert refused.abstained and refused.label == "boredom"
    rows = tiny_model.timeline(crop_video, ["boredom"], faces="none", min_score=0.999)
    assert all(row.abstained and row.confidence < 0.999 for row in rows)
    with pytest.raises(EmoCLIPError, match="min_score"):
        crops(tiny_model, crop_video, min_score=1.5)


def test_calibration_of_the_checkpoint_is_applied(tiny_model, crop_video, tmp_path):
    calibration = {"temperature": 2.0, "min_score": 0.9}
    config = ModelConfig.from_dict({**tiny_model.config.to_dict(), "calibration": calibration})
    EmoCLIP(config, tiny_model.encoder.network).save_pretrained(tmp_path / "calibrated")
    calibrated = EmoCLIP.from_pretrained(tmp_path / "calibrated", device="cpu")
    before, after = crops(tiny_model, crop_video, None), crops(calibrated, crop_video, None)
    assert after.similarities == before.similarities
    ratio = [math.log(r.scores["anger"] / r.scores["happiness"]) for r in (before, after)]
    assert ratio[0] == pytest.approx(2 * ratio[1])
    assert after.abstained and not crops(calibrated, crop_video, None, min_score=0).abstained


def test_model_without_label_set(tiny_model, crop_video):
    data = {**tiny_model.config.to_dict(), "prompts": {"labels": []}}
    bare = EmoCLIP(ModelConfig.from_dict(data), tiny_model.encoder.network)
    assert crops(bare, crop_video).label in LABELS
    with pytest.raises(EmoCLIPError, match="no label set"):
        crops(bare, crop_video, None)


@pytest.mark.parametrize("labels", [[], [""], ["joy", "happiness"], "joy"])
def test_unusable_labels(tiny_model, labels):
    with pytest.raises(PromptError):
        tiny_model.classify("not even opened.mp4", labels)


def test_compound_is_equation_2(tiny_model):
    (mean,), (text,) = tiny_model.embed_labels(["happily surprised"])
    parts, _ = tiny_model.embed_labels(["happiness", "surprise"])
    np.testing.assert_allclose(mean, parts.mean(axis=0), atol=1e-6)
    (joined,), _ = tiny_model.embed_labels(["happily surprised"], compound="concatenate")
    assert text.kind == "compound" and not np.allclose(mean, joined)


def test_scores_are_equation_1(tiny_model, crop_video):
    result = crops(tiny_model, crop_video)
    video = tiny_model.embed(crop_video, faces="none")
    text, _ = tiny_model.embed_labels(LABELS)
    cosine = cosine_similarities(video[None], text)
    np.testing.assert_allclose(list(result.similarities.values()), cosine[0], atol=1e-6)
    scores = softmax_scores(cosine, tiny_model.encoder.logit_scale)
    np.testing.assert_allclose(list(result.scores.values()), scores[0], atol=1e-6)


def test_long_video_is_the_mean_of_its_windows(tiny_model, stripes):
    frames = stripes(80)
    long = crops(tiny_model, frames, fps=7)
    starts = [0, 32, 48]  # one after another, the last one where the video ends
    windows = [crops(tiny_model, frames[s : s + 32], fps=7) for s in starts]
    for label in LABELS:
        assert long.scores[label] == pytest.approx(np.mean([w.scores[label] for w in windows]))
        mean = np.mean([w.similarities[label] for w in windows])
        assert long.similarities[label] == pytest.approx(mean)
    assert long.n_frames == 80
    vectors = [tiny_model.embed(frames[s : s + 32], faces="none", fps=7) for s in starts]
    whole = tiny_model.embed(frames, faces="none", fps=7)
    np.testing.assert_allclose(whole, np.mean(vectors, axis=0), atol=1e-5)


def test_encode_video_agrees_with_embed(tiny_model, stripes):
    import torch

    from emoclip_sdk.faces import center_crop
    from emoclip_sdk.nn import preprocess

    frames = stripes(10)
    images = torch.from_numpy(np.stack([center_crop(frame, 32) for frame in frames]))
    clip = preprocess(images, tiny_model.config.image)[None]
    vector = tiny_model.embed(frames, faces="none", fps=7)
    np.testing.assert_allclose(tiny_model.encode_video(clip)[0].numpy(), vector, atol=1e-5)
    padded = torch.cat([clip, torch.zeros_like(clip)], dim=1)
    mask = torch.arange(20)[None] < 10
    np.testing.assert_allclose(tiny_model.encode_video(padded, mask)[0].numpy(), vector, atol=1e-5)


# Batches


def test_list_in_list_out(tiny_model, crop_video, stripes, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video at all")
    missing = tmp_path / "missing.mp4"
    videos = [crop_video, str(broken), stripes(9), missing, crop_video.read_bytes()]
    results = crops(tiny_model, videos)
    assert [r.source for r in results] == [
        "crop.mp4",
        "broken.mp4",
        "array",
        "missing.mp4",
        "bytes",
    ]
    assert [r.error is None for r in results] == [True, False, True, False, True]
    assert results[3].error == "no such file or folder"
    for bad in (results[1], results[3]):
        assert bad.label is None and not bad.face_found and list(bad.scores) == LABELS
        json.dumps(bad.to_dict(), allow_nan=False)
    assert same(results[0], crops(tiny_model, crop_video))
    assert crops(tiny_model, []) == []


def test_single_failure_raises(tiny_model, tmp_path):
    with pytest.raises(VideoError, match=r"missing\.mp4: no such file"):
        crops(tiny_model, tmp_path / "missing.mp4")


def test_frame_at_fault_is_named(tiny_model, tmp_path, stripes):
    from PIL import Image

    Image.fromarray(stripes(1)[0]).save(tmp_path / "1.png")
    (tmp_path / "2.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (result,) = crops(tiny_model, [tmp_path], fps=7)
    assert result.source == tmp_path.name and "2.png" in result.error


def test_list_of_pictures_is_one_video(tiny_model, stripes):
    from PIL import Image

    frames = stripes(6)
    one = crops(tiny_model, [Image.fromarray(frame) for frame in frames])
    assert same(one, crops(tiny_model, list(frames)))
    assert one.source == "frames"
    gray = crops(tiny_model, [frame[:, :, 0] for frame in frames])
    assert gray.source == "frames"
    first, second = crops(tiny_model, [frames[:3], frames[3:]])
    assert first.n_tracks == second.n_tracks == 1


# Sampling


@pytest.mark.parametrize("sampling", ["deterministic", "uniform", "paper"])
def test_sampling_of_a_file_object(tiny_model, crop_video, sampling):
    # A pipe can be read once only; a file object is read from where it is.
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

    expected = crops(tiny_model, crop_video, sampling=sampling).scores
    for file in (io.BytesIO(crop_video.read_bytes()), Pipe(crop_video.read_bytes())):
        assert crops(tiny_model, file, sampling=sampling).scores == expected


def test_paper_sampling_is_seeded(tiny_model, stripes):
    frames = stripes(300)
    first, again, other = (
        crops(tiny_model, frames, sampling="paper", seed=seed) for seed in (1, 1, 2)
    )
    assert same(first, again) and first.n_frames == 32
    assert first.scores != other.scores


@pytest.mark.parametrize("option", [{"faces": "haar"}, {"sampling": "random"}, {"track": "left"}])
def test_unknown_option(tiny_model, crop_video, option):
    # Also in a list: a typing error is no fault of its videos.
    for video in (crop_video, [crop_video]):
        for call in (tiny_model.classify, tiny_model.embed):
            with pytest.raises(EmoCLIPError, match=f"{next(iter(option))} must be"):
                call(video, **option)


# Faces


def test_prominent_all_and_by_number(detecting_model, two_faces):
    def classify(track):
        return detecting_model.classify(two_faces, LABELS, fps=10, track=track)

    prominent = classify("prominent")
    assert prominent.track == 0 and prominent.n_tracks == 2
    assert 0 < prominent.n_frames <= 22 and prominent.tracks[0].share < 0.6
    everyone = classify("all")
    assert [r.track for r in everyone] == [0, 1]
    assert same(everyone[0], prominent) and same(everyone[1], classify(1))
    assert same(classify(np.int64(1)), classify(1))
    assert everyone[0].scores != everyone[1].scores
    with pytest.raises(VideoError, match="no face track 7; there are: 0, 1"):
        classify(7)
    (failed,) = detecting_model.classify([two_faces], LABELS, fps=10, track=7)
    assert "no face track 7" in failed.error


@pytest.mark.parametrize("track", ["prominent", 0])
def test_no_face(detecting_model, two_faces, track):
    result = detecting_model.classify(two_faces[30:], LABELS, track=track)
    assert not result.face_found and result.label is None and result.error is None
    assert list(result.scores) == LABELS and result.n_tracks == 0
    assert all(math.isnan(v) for v in (*result.scores.values(), *result.similarities.values()))
    vector = detecting_model.embed(two_faces[30:], track=track)
    assert vector.shape == (32,) and np.isnan(vector).all()


def test_no_face_with_track_all(detecting_model, two_faces):
    (result,) = detecting_model.classify(two_faces[30:], LABELS, track="all")
    assert not result.face_found and result.error is None
    good, bad = detecting_model.classify([two_faces, "missing.mp4"], LABELS, track="all")
    assert len(good) == 2 and len(bad) == 1 and bad[0].error


# Embeddings


def test_embed(tiny_model, crop_video, caplog):
    vector = tiny_model.embed(crop_video, faces="none")
    assert vector.shape == (32,) and vector.dtype == np.float32
    with caplog.at_level(logging.WARNING):
        rows = tiny_model.embed([crop_video, "missing.mp4"], faces="none")
    assert rows.shape == (2, 32) and rows.dtype == np.float32
    np.testing.assert_array_equal(rows[0], vector)
    assert np.isnan(rows[1]).all() and "missing.mp4" in caplog.text
    assert tiny_model.embed([]).shape == (0, 32)


def test_embed_of_all_tracks_is_refused(tiny_model, crop_video):
    with pytest.raises(EmoCLIPError, match="one face per video"):
        tiny_model.embed(crop_video, track="all")


def test_embed_text(tiny_model):
    one = tiny_model.embed_text("a smile")
    two = tiny_model.embed_text(["a smile", "a frown"])
    assert one.shape == (32,) and two.shape == (2, 32) and two.dtype == np.float32
    np.testing.assert_allclose(two[0], one, atol=1e-6)


def test_without_text_tower(textless_model, crop_video):
    assert textless_model.embed(crop_video, faces="none").shape == (32,)
    for ask in (
        lambda: textless_model.classify(crop_video, LABELS),
        lambda: textless_model.timeline(crop_video, LABELS),
        lambda: textless_model.embed_text("a smile"),
    ):
        with pytest.raises(CheckpointError, match="no text tower.*--text-from"):
            ask()


# Timeline


def test_timeline(tiny_model, stripes):
    found = tiny_model.timeline(stripes(70), LABELS, window=2, step=1, faces="none", fps=10)
    assert [(row.start, row.end) for row in found] == [(float(t), t + 2.0) for t in range(6)]
    assert found.duration == pytest.approx(7.0) and found.labels == tuple(LABELS)
    assert all(row.track == 0 and row.n_frames == 14 for row in found)
    assert all(sum(row.scores.values()) == pytest.approx(1) for row in found)
    json.dumps(found.to_dict(), allow_nan=False)


def test_whole_video_as_one_window_is_classify(tiny_model, crop_video):
    (row,) = tiny_model.timeline(crop_video, LABELS, window=9, faces="none")
    assert row.scores == pytest.approx(crops(tiny_model, crop_video).scores)


def test_window_longer_than_the_span_is_thinned(tiny_model, stripes):
    frames = stripes(80)
    (row,) = tiny_model.timeline(frames, LABELS, window=60, faces="none", fps=7)
    assert row.n_frames == 80
    kept = frames[[int(2.5 * i + 1.25) for i in range(32)]]
    assert row.scores == pytest.approx(crops(tiny_model, kept, fps=7).scores)


def test_timeline_shows_gaps(detecting_model, two_faces):
    found = detecting_model.timeline(two_faces, LABELS, window=1, step=1, fps=10)
    seen = [row.track for row in found if row.face_found]
    assert seen in ([0] * n + [1] * n for n in (3, 4))
    gaps = [row for row in found if not row.face_found]
    assert [(row.track, row.start) for row in gaps][-2:] == [(None, 4.0), (None, 5.0)]
    assert gaps[-1].label is None and math.isnan(gaps[-1].scores["anger"])
    assert len(found.tracks) == 2
    json.dumps(found.to_dict(), allow_nan=False)


def test_timeline_rows_are_those_of_the_timeline(detecting_model, two_faces):
    rows = detecting_model.timeline_rows(two_faces, LABELS, window=1, step=0.5, fps=10)
    assert iter(rows) is rows
    found = list(rows)
    assert [row.start for row in found] == sorted(row.start for row in found)
    whole = detecting_model.timeline(two_faces, LABELS, window=1, step=0.5, fps=10)
    assert sorted(map(str, found)) == sorted(map(str, whole))


def test_timeline_keeps_the_gap_of_a_face_that_comes_back(detecting_model, two_faces):
    away = two_faces.copy()
    away[:, 0, 0] = 255
    away[20:35, 0, 0] = 0  # a second and a half
    found = detecting_model.timeline(away, LABELS, window=0.5, step=0.5, fps=10)
    assert {row.track for row in found} == {0, 1}
    for track in (0, 1):
        rows = [row for row in found if row.track == track]
        assert [row.start for row in rows] == [i / 2 for i in range(12)]
        assert [i for i, row in enumerate(rows) if not row.face_found] in ([5, 6], [4, 5, 6])


def test_read_once_scored_many_times(detecting_model, two_faces, monkeypatch):
    read = detecting_model.read(two_faces, fps=10)
    options = {"labels": LABELS, "track": "all"}
    expected = detecting_model.classify(two_faces, fps=10, **options)
    rows = detecting_model.timeline(two_faces, LABELS, fps=10).rows
    monkeypatch.setattr(detecting_model.reader, "encode", None)
    for _ in range(2):
        assert detecting_model.classify(read, **options) == expected
        assert str(detecting_model.timeline(read, LABELS).rows) == str(rows)
    assert detecting_model.classify([read], ["boredom", "pride"])[0].face_found


def test_timeline_without_any_face(detecting_model, two_faces):
    found = detecting_model.timeline(two_faces[30:], LABELS, window=1, step=1, fps=10)
    assert len(found) == 3 and found.tracks == ()
    assert all(row.track is None and row.label is None for row in found)


@pytest.mark.parametrize(
    "bad", [{"window": 0}, {"step": -1}, {"step": math.inf}, {"window": math.nan}]
)
def test_timeline_refuses(tiny_model, crop_video, bad):
    with pytest.raises(EmoCLIPError, match="must be positive"):
        tiny_model.timeline(crop_video, **bad)


def test_timeline_saves(tiny_model, crop_video, tmp_path):
    found = tiny_model.timeline(crop_video, window=1, step=0.5, faces="none")
    found.save(tmp_path / "out.csv")
    found.save(tmp_path / "out.json")
    assert len((tmp_path / "out.csv").read_text().splitlines()) == len(found) + 1
    assert json.loads((tmp_path / "out.json").read_text()) == found.to_dict()


# Labels belong to a model


def test_added_labels_stay_with_the_model(tiny_checkpoint):
    one, other = (EmoCLIP.from_pretrained(tiny_checkpoint, device="cpu") for _ in range(2))
    before = other.prompts.hash
    one.add_label("quorl", "Bright, wide eyes above an open smile.", aliases=["zibble"])
    one.add_compound("wry", ["quorl", "anger"])
    assert "zibble" in one.prompts and "wry" in one.prompts
    assert "quorl" not in other.prompts and other.prompts.hash == before != one.prompts.hash


def test_new_description_takes_effect(tiny_model, crop_video):
    before = crops(tiny_model, crop_video)
    tiny_model.add_label("anger", "An entirely different sentence about lips.")
    after = crops(tiny_model, crop_video)
    assert after.similarities["anger"] != before.similarities["anger"]
    assert after.similarities["boredom"] == before.similarities["boredom"]
    assert after.prompts["anger"] == "custom"


def test_save_and_load(tiny_model, tmp_path, crop_video):
    tiny_model.add_label("quorl", "Bright, wide eyes above an open smile.")
    tiny_model.save_pretrained(tmp_path / "mine")
    again = EmoCLIP.from_pretrained(tmp_path / "mine", device="cpu")
    assert again.config == tiny_model.config and "quorl" in again.prompts
    assert again.prompts.hash == tiny_model.prompts.hash
    labels = ["quorl", *LABELS]
    assert crops(again, crop_video, labels).scores == crops(tiny_model, crop_video, labels).scores
    for name, tensor in tiny_model.encoder.network.state_dict().items():
        assert tensor.equal(again.encoder.network.state_dict()[name]), name


# The embedded model, on real faces


def test_embedded_single_face(embedded_model, shared):
    found = embedded_model.timeline(shared / "media/pyfeat/single_face.mp4", window=0.5, step=0.5)
    read = [row.label for row in found]
    assert read[0] == "neutral" and read[-1] == "happiness"


def test_embedded_no_face(embedded_model, shared):
    result = embedded_model.classify(shared / "media/pyfeat/no_face.mp4")
    assert not result.face_found and result.n_tracks == 0 and result.error is None


def test_embedded_gap(embedded_model, shared):
    found = embedded_model.timeline(shared / "media/pyfeat/face_noface.mov", window=1.0, step=1.0)
    rows = sorted(found, key=lambda row: row.start)
    assert rows[0].face_found and rows[-1].track is None and not rows[-1].face_found


def test_embedded_five_faces(embedded_model, shared):
    results = embedded_model.classify(shared / "media/pyfeat/multi_face.jpg", track="all")
    assert len(results) == 5 and all(r.n_tracks == 5 and r.n_frames == 1 for r in results)


def test_embedded_synthetic_actors(embedded_model, shared):
    videos = [shared / f"media/synthetic_actors/{name}.mp4" for name in ("happy", "neutral")]
    results = embedded_model.classify(videos)
    assert [r.error for r in results] == [None, None]
    assert results[0].label == "happiness"


def test_a_model_goes_to_another_process(tiny_model, crop_video):
    tiny_model.add_label("wry", "One corner of the mouth is up")
    expected = tiny_model.classify(crop_video, ["joy", "wry"], faces="none").to_dict()
    other = pickle.loads(pickle.dumps(tiny_model))
    assert other.classify(crop_video, ["joy", "wry"], faces="none").to_dict() == expected
    other.add_label("new", "The mouth is open")
    assert "new" not in tiny_model.prompts


def told(call):
    """Return what a hook hears: of one video, or of several."""
    events = []
    call(events.append)
    return events


def test_every_long_method_says_how_far_it_is(tiny_model, crop_video, tmp_path, no_processes):
    """Two seconds of video: from 0 to 100 %, and of a part its own share."""
    labels = ["joy", "anger"]
    crops = {"faces": "none"}
    timeline = tiny_model.timeline(crop_video, labels, **crops)
    for call in (
        lambda hook: tiny_model.classify(crop_video, labels, progress=hook, **crops),
        lambda hook: tiny_model.embed(crop_video, progress=hook, **crops),
        lambda hook: tiny_model.timeline(crop_video, labels, progress=hook, **crops),
        lambda hook: list(tiny_model.timeline_rows(crop_video, labels, progress=hook, **crops)),
        lambda hook: tiny_model.read(crop_video, progress=hook, **crops),
        lambda hook: timeline.annotate(crop_video, tmp_path / "a.mp4", progress=hook),
    ):
        events = told(call)
        assert events[0].name == "crop.mp4"
        assert (events[0].seconds, events[0].duration, events[0].fraction) == (0.0, 2.0, 0.0)
        assert (events[-1].seconds, events[-1].fraction) == (2.0, 1.0)
    part = {"start": 0.5, "end": 1.5, **crops}
    events = told(lambda hook: tiny_model.embed(crop_video, progress=hook, **part))
    assert (events[0].duration, events[-1].seconds) == (1.0, 1.0)
    several = [str(crop_video), str(tmp_path / "missing.mp4"), str(crop_video)]
    events = told(lambda hook: tiny_model.embed(several, progress=hook, **crops))
    assert {event.total for event in events} == {3}
    assert events[-1].fraction == 1.0 and [e.fraction for e in events] == sorted(
        e.fraction for e in events
    )
    events = told(
        lambda hook: list(tiny_model.classify_batch(several, labels, progress=hook, **crops))
    )
    assert [(event.done, event.total) for event in events] == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_a_hook_can_end_the_call(tiny_model, crop_video):
    class Enough(Exception):
        pass

    def hook(progress):
        raise Enough

    with pytest.raises(Enough):
        tiny_model.classify(crop_video, faces="none", progress=hook)
    with pytest.raises(EmoCLIPError, match="progress must be a function"):
        tiny_model.classify(crop_video, faces="none", progress="yes")
    with pytest.raises(EmoCLIPError, match="leave progress out"):
        tiny_model.stream(crop_video, progress=True)
    kept = tiny_model.read(crop_video, faces="none")
    tiny_model.classify(kept, progress=True)  # takes no time, and is no error
