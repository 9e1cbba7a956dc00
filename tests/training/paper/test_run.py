"""The experiments from end to end, on colors."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

import emoclip_sdk.training.paper.run as run_module
from emoclip_sdk import EmoCLIP
from emoclip_sdk.errors import CheckpointError, EmoCLIPError
from emoclip_sdk.training.data.cache import frame_embeddings, pool_frames
from emoclip_sdk.training.data.datasets.clips import Clip, ClipDataset
from emoclip_sdk.training.data.samples import CachedFrames
from emoclip_sdk.training.data.trained_on import read_trained_on
from emoclip_sdk.training.paper import evaluate_classifier, run_experiment
from emoclip_sdk.training.paper import setup as parts
from emoclip_sdk.training.paper.tasks import ContrastiveTask

from .conftest import CLASSES, colors, tiny_recipe


class Untouchable:
    """Stands where the test split is."""

    def _fail(self, *_: Any) -> Any:
        pytest.fail("the test split was looked at")

    __iter__ = __len__ = __getitem__ = __bool__ = _fail


def seen_clips(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """Ids of the clips of every task that is built, and their texts."""
    found: list[set[str]] = []
    original = ContrastiveTask.__post_init__

    def built(self: ContrastiveTask) -> None:
        found.append({clip.id for clip in self.table.clips} | set(self.table.texts))
        original(self)

    monkeypatch.setattr(ContrastiveTask, "__post_init__", built)
    return found


def learning_recipe(experiment: str = "supervised") -> dict[str, Any]:
    recipe = tiny_recipe(experiment)
    recipe["objective"] = {"texts": "descriptions", "positives": "class"}
    recipe["optim"] |= {"epochs": 10, "batch_size": 16}
    recipe["optim"]["lr"] |= {"text_blocks": 3e-3, "text_rest": 3e-3}
    recipe["run"] = {"save_every": 1000, "log_every": 4}
    return recipe


def test_supervised_learns_and_writes_a_model(tmp_path: Path) -> None:
    dataset = colors(8)
    figures = run_experiment(learning_recipe(), dataset, tmp_path / "model", tmp_path / "run")
    assert figures["best"]["uar"] >= 0.9
    assert len(figures["epochs"]) == 10
    losses = [
        float(line.split(",")[2])
        for line in (tmp_path / "run/log.csv").read_text().splitlines()[1:]
    ]
    assert losses[-1] < 0.7 * losses[0]
    assert json.loads((tmp_path / "run/metrics.json").read_text()) == figures
    assert yaml.safe_load((tmp_path / "run/recipe.yaml").read_text())["seed"] == 3

    trained_on = read_trained_on(tmp_path / "model")
    assert trained_on is not None
    for split, clips in dataset.splits.items():
        overlap = trained_on.overlap("colors", clips)
        sides = {"train": overlap.training, "valid": overlap.selection, "test": ~overlap.left_out}
        assert sides[split].all()
    model = EmoCLIP.from_pretrained(tmp_path / "model", device="cpu")
    assert model.labels == CLASSES
    test = dataset.splits["test"]
    results = model.classify([clip.video for clip in test], faces="none")
    right = [CLASSES.index(r.label) == c.label for r, c in zip(results, test, strict=True)]
    assert np.mean(right) >= 0.75
    card = (tmp_path / "model/README.md").read_text()
    assert "colors, fold 1, validation split" in card and "UAR" in card


@pytest.mark.parametrize("frozen", [True, False])
def test_selection_never_looks_at_the_test_split(frozen: bool, tmp_path: Path) -> None:
    whole = colors()
    dataset = dataclasses.replace(whole, splits={**whole.splits, "test": Untouchable()})
    recipe = tiny_recipe(frozen=frozen)
    recipe["optim"]["epochs"] = 1
    run_experiment(recipe, dataset, tmp_path / "out", tmp_path / "run")


def test_validation_is_cut_from_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = colors()
    splits = {"train": whole.splits["train"], "test": whole.splits["test"]}
    validated: list[set[str]] = []
    original = parts.zero_shot

    def spy(experiment: Any, model: EmoCLIP, clips: Any) -> Any:
        validated.append({clip.id for clip in clips})
        return original(experiment, model, clips)

    monkeypatch.setattr("emoclip_sdk.training.paper.run.zero_shot", spy)
    trained = seen_clips(monkeypatch)
    recipe = tiny_recipe()
    recipe["optim"]["epochs"] = 1
    recipe["data"]["valid_share"] = 0.25
    dataset = dataclasses.replace(whole, splits=splits)
    run_experiment(recipe, dataset, tmp_path / "a", tmp_path / "a-run")
    assert validated[0] and all(name.startswith("train") for name in validated[0])
    assert not validated[0] & trained[0]
    recipe["selection"] = {"split": "test", "figure": "war"}
    run_experiment(recipe, dataset, tmp_path / "b", tmp_path / "b-run")
    assert validated[1] == {clip.id for clip in splits["test"]}
    assert "chosen" in (tmp_path / "b/README.md").read_text()


def test_loco_trains_without_the_class_and_tests_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = seen_clips(monkeypatch)
    recipe = learning_recipe("loco")
    recipe["optim"]["epochs"] = 1
    figures = run_experiment(recipe, colors(), tmp_path / "out", tmp_path / "run")
    from emoclip_sdk.prompts import PromptBank

    bank = PromptBank.default()
    assert len(trained) == 4
    for label, (name, seen) in enumerate(zip(CLASSES, trained, strict=True)):
        assert not any(item.startswith(f"train-{label}-") for item in seen)
        assert not seen & set(bank.descriptions(name))
        assert any(item.startswith(f"train-{(label + 1) % 4}-") for item in seen)
    assert set(figures["per_class"]) == set(CLASSES) and figures["n"] == 8
    rows = list(figures["per_class"].values())
    assert figures["uar"] == pytest.approx(np.mean([row["recall"] for row in rows]))
    assert all(0 <= row["others"] <= 1 for row in rows)
    # Each class's own clips against the others' of the whole split.
    assert all(0 <= row["auc"] <= 1 and row["n"] == 2 for row in figures["per_class"].values())
    assert json.loads((tmp_path / "out/metrics.json").read_text()) == figures
    decisions = {k: v for row in rows for k, v in row["decisions"].items()}
    assert set(decisions) == {clip.id for clip in colors().splits["test"]}
    # One cache serves all classes.
    assert not (tmp_path / "run/anger/cache").exists() and (tmp_path / "run/cache").is_dir()


def test_loco_as_the_reference_chooses_by_the_class_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    validated: list[set[str]] = []
    original = parts.zero_shot

    def spy(experiment: Any, model: EmoCLIP, clips: Any) -> Any:
        validated.append({clip.id for clip in clips})
        return original(experiment, model, clips)

    monkeypatch.setattr("emoclip_sdk.training.paper.run.zero_shot", spy)
    trained = seen_clips(monkeypatch)
    recipe = learning_recipe("loco")
    recipe["optim"]["epochs"] = 1
    recipe["objective"] |= {"positives": "own", "negatives": "local", "one_text": True}
    recipe["selection"] = {"split": "test", "figure": "war"}
    recipe["loco"] = {"classes": ["happiness"]}
    figures = run_experiment(recipe, colors(), tmp_path / "out", tmp_path / "run")
    assert validated == [{"test-1-0", "test-1-1"}]
    # All of training but the class, with one description of each other class.
    assert len({item for item in trained[0] if item.startswith("train")}) == 12
    assert len(trained[0]) == 12 + 3
    assert set(figures["per_class"]) == {"happiness"}


def test_loco_states_how_the_trained_classes_fare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        run_module,
        "class_scores",
        lambda model, video, classes, **_: np.tile(np.eye(len(classes))[0], (len(video), 1)),
    )
    recipe = learning_recipe("loco")
    recipe["optim"]["epochs"] = 1
    recipe["loco"] = {"classes": list(CLASSES[:2])}
    figures = run_experiment(recipe, colors(), tmp_path / "out", tmp_path / "run")
    rows = figures["per_class"]
    assert [rows[name]["recall"] for name in CLASSES[:2]] == [1, 0]
    assert [rows[name]["others"] for name in CLASSES[:2]] == pytest.approx([0, 1 / 3])


def test_probe_learns_and_is_evaluated(tmp_path: Path, tiny_checkpoint: Path) -> None:
    recipe = tiny_recipe("probe")
    recipe["model"] = {"start": str(tiny_checkpoint), "sampling": {"stride": 2}}
    recipe["optim"] |= {"epochs": 15, "batch_size": 16}
    recipe.pop("objective")
    dataset = colors(8)
    figures = run_experiment(recipe, dataset, tmp_path / "probe", tmp_path / "run")
    assert figures["best"]["uar"] > 0.6
    content = json.loads((tmp_path / "probe/classifier.json").read_text())
    assert (content["width"], content["hidden"], content["classes"]) == (32, 256, list(CLASSES))
    assert content["window"] == "wrap"  # of the probe's training; the encoder's config has none

    model = EmoCLIP.from_pretrained(tiny_checkpoint, device="cpu")
    found = evaluate_classifier(tmp_path / "probe", model, dataset, "valid")
    assert found["uar"] == pytest.approx(figures["best"]["uar"])
    assert found["probabilities"].shape == (8, 4)
    with pytest.raises(CheckpointError, match="holds a classifier.*no probe for interviews"):
        EmoCLIP.load_probe(tmp_path / "probe")
    (tmp_path / "interviews").mkdir()
    (tmp_path / "interviews/probe.json").write_text("{}")
    with pytest.raises(CheckpointError, match="holds a probe for interviews.*EmoCLIP.load_probe"):
        evaluate_classifier(tmp_path / "interviews", model, dataset)
    with pytest.raises(CheckpointError, match=r"gone/classifier\.json: no such file"):
        evaluate_classifier(tmp_path / "gone", model, dataset)
    with torch.no_grad():
        next(model.encoder.network.temporal.parameters()).add_(1.0)
    with pytest.raises(CheckpointError, match="was trained on"):
        evaluate_classifier(tmp_path / "probe", model, dataset)


def test_short_clips_are_evaluated_as_they_were_trained(tmp_path: Path) -> None:
    recipe = tiny_recipe()
    recipe["optim"]["epochs"] = 1
    run_experiment(recipe, colors(), tmp_path / "model", tmp_path / "run")
    model = EmoCLIP.from_pretrained(tmp_path / "model", device="cpu")
    video = colors().splits["test"][0].video
    assert isinstance(video, np.ndarray)
    short = Clip("short", video[:5])  # 3 frames at 12.5 a second, of 4
    frames = frame_embeddings(model, [short])
    assert len(frames[0]) == 3
    source = CachedFrames([frames], ["short"], 4, 0, torch.device("cpu"))
    windows = [
        next(iter(source.stream([(epoch, [0])]))).part(slice(None))[0]  # type: ignore[arg-type]
        for epoch in range(9)
    ]
    training = [window for window in windows if np.allclose(window[0], frames[0][0])]
    with torch.inference_mode():
        expected = model.encoder.network.pool(training[0][None]).numpy()
    assert np.allclose(pool_frames(model, frames), expected, atol=1e-5)
    assert np.allclose(model.embed([short.video], faces="none"), expected, atol=1e-5)


def test_frame_ensemble_is_fine_tuned(tmp_path: Path, tiny_checkpoint: Path) -> None:
    before = EmoCLIP.from_pretrained(tiny_checkpoint, device="cpu").encoder.network.state_dict()
    recipe = tiny_recipe(frozen=False)
    recipe["model"] = {"start": str(tiny_checkpoint), "temporal": {"kind": "mean"}}
    recipe["optim"] |= {
        "kind": "sgd", "schedule": "multistep", "milestones": [1], "epochs": 2, "accumulate": 2,
        "grad_checkpointing": True,
        "lr": {"visual": 1e-3, "text_blocks": 1e-3, "logit_scale": 1e-3},
    }  # fmt: skip
    run_experiment(recipe, colors(), tmp_path / "out", tmp_path / "run")
    after = EmoCLIP.from_pretrained(tmp_path / "out", device="cpu").encoder.network.state_dict()
    assert not any(key.startswith("temporal") for key in after)
    changed = {key for key in after if not torch.equal(before[key], after[key])}
    assert any(key.startswith("towers.visual.") for key in changed)
    text = {key for key in changed if key.startswith("towers.text.")}
    assert text and all(key.startswith("towers.text.transformer.") for key in text)
    rates = {row.split(",")[3] for row in (tmp_path / "run/log.csv").read_text().splitlines()[1:]}
    assert rates == {"0.001", "0.0001"}


def test_captions_alone_are_enough(tmp_path: Path) -> None:
    whole = colors()
    splits = {
        name: tuple(
            dataclasses.replace(c, label=None, caption=c.caption or "a calm face") for c in clips
        )
        for name, clips in whole.splits.items()
    }
    recipe = tiny_recipe()
    recipe["optim"]["epochs"] = 1
    dataset = ClipDataset("captions", (), splits)
    figures = run_experiment(recipe, dataset, tmp_path / "out", tmp_path / "run")
    assert 0 <= figures["best"]["recall@1"] <= 1


def test_unreadable_clips(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = colors()
    gone = Clip("gone", tmp_path / "gone.mp4", 1, "a smile")
    splits = {**whole.splits, "train": (*whole.splits["train"], gone)}
    dataset = dataclasses.replace(whole, splits=splits)
    recipe = tiny_recipe()
    recipe["optim"]["epochs"] = 1
    figures = run_experiment(recipe, dataset, tmp_path / "out", tmp_path / "run")
    assert "not used: gone: " in caplog.text
    assert list(figures["left out"]) == ["gone"]
    # Read anew in every epoch, it is found out then. Another clip stands in its place.
    caplog.clear()
    recipe = tiny_recipe(frozen=False)
    recipe["optim"] |= {"epochs": 2, "batch_size": 17}
    figures = run_experiment(recipe, dataset, tmp_path / "out", tmp_path / "run2")
    assert caplog.text.count("not used: gone: ") == 1
    assert "1 training clips could not be used" in caplog.text
    assert list(figures["left out"]) == ["gone"]
    metrics = json.loads((tmp_path / "run2/metrics.json").read_text())
    assert metrics == figures and len(figures["epochs"]) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"optim": {"lr": {"temporl": 1e-3}}}, "temporl"),
        ({"optim": {"precision": "fp8"}}, "fp32, bf16, fp16"),
        ({"optim": {"epochs": "many"}}, "epochs"),
        ({"optim": {"lr": {}}}, "no part has a learning rate"),
        ({"model": {"start": None, "towers": None}}, "either start or towers"),
        ({"model": {"temporal": {"layer": 1}}}, "layer"),
        ({"data": {"valid_share": 2}}, "valid_share"),
        ({"epochs": 3}, "epochs"),
    ],
)
def test_wrong_recipes_are_named(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    recipe = tiny_recipe()
    for key, value in change.items():
        if isinstance(value, dict):
            recipe[key] = {**recipe.get(key, {}), **value}
        else:
            recipe[key] = value
    with pytest.raises(EmoCLIPError, match=message):
        run_experiment(recipe, colors(), tmp_path / "out", tmp_path / "run")
