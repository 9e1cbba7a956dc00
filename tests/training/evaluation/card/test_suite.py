"""The suite behind a model card: what its figures mean, and how they get into a checkpoint."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from builders import write_ferplus
from typer.testing import CliRunner

from emoclip_sdk import EmoCLIP
from emoclip_sdk.checkpoints import embedded_folder
from emoclip_sdk.config import PromptConfig
from emoclip_sdk.errors import CheckpointError, DatasetError
from emoclip_sdk.training.cli import app
from emoclip_sdk.training.data.captions import ACTIONS
from emoclip_sdk.training.data.ferplus import FERPLUS_CLASSES, Pictures
from emoclip_sdk.training.evaluation import class_bank, class_vectors, evaluate_pictures
from emoclip_sdk.training.evaluation.card import (
    Row,
    Split,
    card_suite,
    local_folder,
    writable_folder,
    write_card,
)
from emoclip_sdk.training.evaluation.card.confidence import auroc, calibration_error
from emoclip_sdk.training.evaluation.card.left_out import left_out_row
from emoclip_sdk.training.evaluation.card.wording import PARAPHRASES, PHOTO, synonym_row
from emoclip_sdk.training.evaluation.sequences import picture_sequences

KEYS = [
    "accuracy", "wording", "left_out", "synonyms", "temporal", "calibration", "abstention", "speed",
]  # fmt: skip


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    """Dark pictures that everybody calls neutral; bright ones of the other classes."""
    labels = np.arange(48) % 8
    images = np.full((48, 32, 32), 200, np.uint8)
    images[labels == 0] = 60
    return Pictures(images, np.eye(8, dtype=np.float32)[labels], FERPLUS_CLASSES)


@pytest.fixture(scope="module")
def ferplus(pictures: Pictures, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ferplus") / "ferplus.npz"
    rng = np.random.default_rng(0)
    return write_ferplus(
        path,
        np.pad(pictures.votes * 10, ((0, 0), (0, 2))),
        images=rng.integers(0, 256, pictures.images.shape, dtype=np.uint8),
        split=["valid"] * 24 + ["test"] * 24,
    )


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("prompts") / "others.yaml"
    path.write_text("".join(f"{name}: a face of {name}\n" for name in FERPLUS_CLASSES))
    return path


@pytest.fixture
def checkpoint(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "mine"))


def _run(ferplus: Path, *arguments: str | Path):
    fixed = ["--dataset", "ferplus", "--root", ferplus, "--device", "cpu", "--suite", "card"]
    fixed += ["--clips", "6", "--draws", "5"]
    return CliRunner().invoke(app, ["evaluate", *map(str, (*fixed, *arguments))])


def _hash(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def test_every_row_of_the_table(tiny_model, tiny_checkpoint, pictures, outside) -> None:
    found = card_suite(
        tiny_model, pictures, split="valid", folder=tiny_checkpoint, prompt_files=[outside],
        clips=6, draws=5,
    )  # fmt: skip
    assert [row["key"] for row in found["rows"]] == KEYS
    assert found["weights"] == _hash(tiny_checkpoint)
    json.dumps(found, allow_nan=False)
    rows = {row["key"]: row for row in found["rows"]}
    for row in rows.values():
        assert row["figure"] and row["how"] and set(row["goal"]) <= set(row["values"])
    # The same figures as a user's own evaluation.
    for name, prompts in (("bank", "bank"), ("paraphrases", PARAPHRASES), (outside.name, outside)):
        own = evaluate_pictures(tiny_model, pictures, prompts)
        assert rows["wording"]["sets"][name]["war"] == pytest.approx(own["war"], abs=1e-4)
    assert rows["accuracy"]["values"]["uar"] == pytest.approx(
        evaluate_pictures(tiny_model, pictures)["uar"], abs=1e-4
    )
    wars = [row["war"] for row in rows["wording"]["sets"].values()]
    assert len(wars) == 5
    assert rows["wording"]["values"]["spread"] == pytest.approx(max(wars) - min(wars))
    assert rows["left_out"]["values"] == {"mean recall": None}
    assert rows["left_out"]["met"] is None
    assert rows["speed"]["values"]["crops per second"] > 0
    size = (tiny_checkpoint / "model.safetensors").stat().st_size / 1e6
    assert rows["speed"]["values"]["checkpoint [MB]"] == pytest.approx(size, abs=1e-4)


def test_goals() -> None:
    row = Row("k", "f", {"a": 0.5, "b": 0.1}, {"a": (">=", 0.5), "b": ("<=", 0.05)}, 1, "h")
    assert row.met is False
    assert dataclasses.replace(row, values={"a": 0.5, "b": 0.05}).met is True
    assert dataclasses.replace(row, values={"a": 0.9, "b": None}).met is None


def test_calibration_error_of_known_scores() -> None:
    # 8 labels, the best one has 0.79 and is right in half of the cases.
    scores = np.full((100, 8), 0.03)
    scores[:, 2] = 0.79
    labels = np.array([2, 5] * 50)
    assert calibration_error(scores, labels) == pytest.approx(0.29, abs=1e-6)
    # Half of the clips at 0.79 and right in 79 of 100, half at 0.51 and right in 51 of 100.
    scores = np.full((200, 8), 0.03)
    scores[:100, 2], scores[100:, 2], scores[100:, 3] = 0.79, 0.51, 0.31
    labels = np.r_[np.where(np.arange(100) < 79, 2, 0), np.where(np.arange(100) < 51, 2, 3)]
    assert calibration_error(scores, labels) == pytest.approx(0, abs=1e-6)


def test_auroc_of_known_confidence() -> None:
    inside = np.array([True, True, False, False])
    assert auroc(np.array([0.9, 0.4, 0.5, 0.1]), inside) == pytest.approx(0.75)
    assert auroc(np.zeros(4), np.ones(4, bool)) is None


def test_confidence_is_that_of_a_prediction(tiny_model, pictures) -> None:
    tiny_model.config = dataclasses.replace(
        tiny_model.config, prompts=PromptConfig(FERPLUS_CLASSES)
    )
    split = Split(tiny_model, pictures)
    offered = [1, 3, 4, 7]
    names = [FERPLUS_CLASSES[i] for i in offered]
    clip = np.repeat(pictures.images[5][None, ..., None], 3, axis=3)
    result = tiny_model.classify(clip, labels=names, faces="none", fps=7)
    assert result.confidence == pytest.approx(split.scores[5, offered].max(), abs=1e-5)


def test_a_quarter_of_the_frames_is_expressive(pictures: Pictures) -> None:
    made = picture_sequences(pictures, 40, seed=3)
    assert made.crops.shape == (40 * 16, 32, 32, 3)
    bright = made.crops.reshape(40, 16, -1).mean(axis=2) > 130
    neutral = made.labels == 0
    assert 0 < neutral.sum() < 40
    assert not bright[neutral].any()
    assert (bright.sum(axis=1)[~neutral] == 4).all()
    assert (bright == made.expressive).all()
    for row in made.expressive[~neutral]:
        assert np.ptp(np.flatnonzero(row)) == 3  # in a row
    starts = made.expressive[~neutral].argmax(axis=1)
    assert len(set(starts.tolist())) > 4


def test_clips_are_the_same_with_the_same_seed(pictures: Pictures) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, pictures.images.shape, dtype=np.uint8)
    varied = Pictures(noise, pictures.votes, pictures.classes)
    first, again = (picture_sequences(varied, 9, seed=1) for _ in range(2))
    assert np.array_equal(first.crops, again.crops)
    assert np.array_equal(first.labels, again.labels)
    assert not np.array_equal(first.crops, picture_sequences(varied, 9, seed=2).crops)
    assert len(np.unique(first.crops.reshape(9 * 16, -1), axis=0)) == 9 * 16  # views, no copies
    excited = pictures.votes.copy()
    excited[:, 0] = np.minimum(excited[:, 0], 0.6)
    with pytest.raises(DatasetError, match="no picture has more than 70% of its votes"):
        picture_sequences(Pictures(noise, excited, pictures.classes), 9)


def test_synonyms_against_centroids_that_are_the_descriptions(tiny_model, pictures) -> None:
    split = Split(tiny_model, Pictures(pictures.images[:8], pictures.votes[:8], FERPLUS_CLASSES))
    split.__dict__["video"] = class_vectors(tiny_model, FERPLUS_CLASSES)
    row = synonym_row(split)
    assert row.n == 120
    assert row.values["nearest clips"] == row.values["nearest descriptions"]
    missed = sum(map(len, row.details["misses"].values()))
    assert row.values["nearest clips"] == pytest.approx(1 - missed / 120)
    routes = row.details["routes"]
    assert sum(route["n"] for route in routes.values()) == 120
    # What the bank takes for a name of the class itself can't go elsewhere: told apart.
    assert routes["the bank has it as a name of one of the classes"]["right"] == 1


def test_left_out_classes(tiny_model, tiny_checkpoint, pictures, tmp_path: Path) -> None:
    split = Split(tiny_model, pictures)
    for name in ("anger", "fear"):
        shutil.copytree(tiny_checkpoint, tmp_path / name)
    row = left_out_row(split, tmp_path, where="valid")
    per_class = row.details["per_class"]
    own = evaluate_pictures(tiny_model, pictures)["per_class"]
    assert {name: part["recall"] for name, part in per_class.items()} == {
        name: own[name]["recall"] for name in ("anger", "fear")
    }
    assert per_class["anger"]["n"] == 6
    assert sum(per_class["anger"]["taken for"].values()) == 6
    assert "No model leaves out neutral, happiness" in row.how
    assert row.details["complete"] is False
    with pytest.raises(DatasetError, match="no checkpoint folder with the name of a class"):
        left_out_row(split, tmp_path / "anger", where="valid")


def test_four_wordings_without_a_file_by_others(ferplus: Path, tiny_checkpoint: Path) -> None:
    result = _run(ferplus, "--model", tiny_checkpoint, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["split"], found["n"]) == ("valid", 24)
    assert "--split valid --suite card" in found["command"]
    row = next(row for row in found["rows"] if row["key"] == "wording")
    assert list(row["sets"]) == ["bank", "words", PHOTO, "paraphrases"]
    assert "was not given: --prompts-file" in row["how"]


def test_the_card_is_written(
    ferplus: Path, checkpoint: Path, tiny_checkpoint: Path, outside: Path, tmp_path: Path
) -> None:
    before = _hash(checkpoint)
    shutil.copytree(tiny_checkpoint, tmp_path / "loco" / "anger")
    for split, more in (("test", ["--loco", tmp_path / "loco"]), ("valid", [])):
        options = ["--model", checkpoint, "--split", split, "--prompts-file", outside]
        result = _run(ferplus, *options, "--write-card", *more)
        assert result.exit_code == 0, result.output
        # For people: every row, every class.
        for part in ("spread of WAR", "never trained on", "contempt", "crops per second"):
            assert part in " ".join(result.stdout.split()), part
    assert _hash(checkpoint) == before
    card = (checkpoint / "README.md").read_text(encoding="utf-8")
    for part in (
        "### Test split",
        "### Valid split",
        "spread of WAR over wordings",
        "(confusion.png)",
        "### Measured limits",
        "emoclip-train evaluate --model mine --dataset ferplus",
        "Article 5(1)(f)",
    ):
        assert part in card, part
    assert (checkpoint / "confusion.png").read_bytes().startswith(b"\x89PNG")
    assert (checkpoint / "confusion.png").stat().st_size < 100_000
    documents = json.loads((checkpoint / "card.json").read_text(encoding="utf-8"))
    assert set(documents) == {"test", "valid"}
    # The second run got no models of left-out classes: it says where its figures are from.
    rows = {
        split: next(row for row in found["rows"] if row["key"] == "left_out")
        for split, found in documents.items()
    }
    assert rows["valid"]["values"] == rows["test"]["values"] != {"mean recall": None}
    assert "from the checkpoint's card, split test" in rows["valid"]["how"]
    # What travels with the config is enough for a saved copy's card.
    EmoCLIP.from_pretrained(checkpoint, device="cpu").save_pretrained(tmp_path / "copy")
    copied = (tmp_path / "copy" / "README.md").read_text(encoding="utf-8")
    assert "### Test split" in copied and "confusion.png" not in copied


def test_figures_of_other_weights_go(
    ferplus: Path, checkpoint: Path, tiny_model, pictures: Pictures
) -> None:
    document = card_suite(tiny_model, pictures, split="test", folder=checkpoint, clips=4, draws=2)
    write_card(checkpoint, {**document, "weights": "of another training"})
    write_card(checkpoint, {**document, "split": "valid"})
    assert set(json.loads((checkpoint / "card.json").read_text())) == {"valid"}
    assert "Test split" not in (checkpoint / "README.md").read_text()


def test_where_no_card_can_be_written(
    ferplus: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CheckpointError, match="a card is written into a checkpoint folder"):
        writable_folder("someone/model")
    assert local_folder("embedded") == local_folder(None) == embedded_folder()
    monkeypatch.setattr(os, "access", lambda path, mode, **_: mode != os.W_OK)
    result = _run(ferplus, "--model", checkpoint, "--write-card")
    assert isinstance(result.exception, CheckpointError)
    assert "Copy the folder" in str(result.exception)


def test_refuses(ferplus: Path, tiny_checkpoint: Path) -> None:
    for options, message in (
        (["--dataset", "afew"], "needs FER+'s votes"),
        (["--model", "majority"], "a model that sees"),
        (["--suite", "all"], "card"),
    ):
        result = _run(ferplus, "--model", tiny_checkpoint, *options)
        assert result.exit_code == 2, options
        assert message in result.output
    result = CliRunner().invoke(app, ["evaluate", "--root", str(ferplus), "--write-card"])
    assert result.exit_code == 2
    assert "--suite card" in result.output


def test_paraphrases_are_in_other_words() -> None:
    found = yaml.safe_load(PARAPHRASES.read_text(encoding="utf-8"))
    assert set(found) == set(FERPLUS_CLASSES)
    said = " ".join(found.values()).lower()
    assert not [text for wordings in ACTIONS.values() for text in wordings if text in said]
    assert not [name for name, text in found.items() if name[:5] in text.lower()]


def test_one_template_as_prompts(tiny_model) -> None:
    bank = class_bank(tiny_model.prompts, ["anger", "happiness"], PHOTO)
    assert bank.descriptions("anger") == ("a photo of a face that shows anger",)
