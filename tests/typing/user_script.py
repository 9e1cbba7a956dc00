"""What a user writes: read by type checkers in `make quality`, and run by `test_user_script`."""

from __future__ import annotations

from pathlib import Path

from emoclip_sdk import EmoCLIP, Prediction, ReadOptions, Timeline, VideoInput


def describe(model: EmoCLIP, video: VideoInput, folder: Path) -> list[str]:
    model.add_label("boredom", "Half-closed eyes and a slack mouth")
    model.add_compound("happily surprised", ["happiness", "surprise"])
    labels = ["happiness", "boredom", "happily surprised"]
    result: Prediction = model.classify(video, labels, timeout=60.0)
    everybody: list[Prediction] = model.classify(video, labels, track="all", min_score=0.0)
    batch: list[Prediction] = model.classify([video, "missing.mp4"], labels, sampling="uniform")
    faces = model.read(video, faces="detect")
    timeline: Timeline = model.timeline(faces, labels, window=1.0, step=0.5)
    timeline.save(folder / "scores.csv")
    timeline.save(folder / "scores.json")
    again: Timeline = Timeline.load(folder / "scores.json")
    answers: list[str | None] = [again[0].answer, *(row.answer for row in again[1:])]
    described = {"smirk": "One corner of the lips is up", "anger": None}
    smirk: Prediction = model.classify(faces, described)
    figure = timeline.plot()
    figure.savefig(folder / "scores.png")
    starts = [row.start for row in model.timeline_rows(faces, labels)]
    vector = model.embed(faces)
    reasons = [e.error for e in model.explain([video, Path("missing.mp4")], labels)]
    files = [str(folder / "gone.mp4")]
    failed = [r.source for r in model.classify_batch(files, labels, workers=1)]
    lines = [f"{label}: {score:.2f}" for label, score in result.top(2)]
    lines += [f"{len(everybody)} {[r.status for r in batch]} {len(timeline)} {starts}"]
    lines += [f"{vector.shape} {reasons} {len(failed)} {ReadOptions().sampling}"]
    lines += [f"{answers} {smirk.answer}"]
    return lines
