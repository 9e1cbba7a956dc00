"""``emoclip-train evaluate --suite card``: what it prints, writes and refuses."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import av
import pytest
from typer.testing import CliRunner

from emoclip_sdk import EmoCLIP
from emoclip_sdk.assets import asset
from emoclip_sdk.checkpoints import embedded_folder
from emoclip_sdk.errors import CheckpointError
from emoclip_sdk.training.cli import app
from emoclip_sdk.training.evaluation.card import (
    local_folder,
    writable_folder,
)
from emoclip_sdk.training.evaluation.card.wording import PHOTO


def _run(ferplus: Path, *arguments: str | Path):
    fixed = ["--dataset", "ferplus", "--root", ferplus, "--device", "cpu", "--suite", "card"]
    fixed += ["--clips", "6", "--draws", "5"]
    return CliRunner().invoke(app, ["evaluate", *map(str, (*fixed, *arguments))])


def _hash(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def test_four_wordings_without_a_file_by_others(ferplus: Path, tiny_checkpoint: Path) -> None:
    result = _run(ferplus, "--model", tiny_checkpoint, "--json")
    assert result.exit_code == 0, result.output
    results = json.loads(result.stdout)
    assert (results["split"], results["n"]) == ("valid", 24)
    assert "--split valid --suite card" in results["command"]
    row = next(row for row in results["rows"] if row["key"] == "wording")
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
        "### FER+, test split",
        "### FER+, valid split",
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
        split: next(row for row in results["rows"] if row["key"] == "left_out")
        for split, results in documents.items()
    }
    assert rows["valid"]["values"] == rows["test"]["values"] != {"mean recall": None}
    assert "from the checkpoint's card, split test" in rows["valid"]["how"]
    # What travels with the config is enough for a saved copy's card.
    EmoCLIP.from_pretrained(checkpoint, device="cpu").save_pretrained(tmp_path / "copy")
    copied = (tmp_path / "copy" / "README.md").read_text(encoding="utf-8")
    assert "### FER+, test split" in copied and "confusion.png" not in copied


def test_a_set_of_ones_own_beside_ferplus(ferplus: Path, checkpoint: Path, tmp_path: Path) -> None:
    mine = tmp_path / "wedding"
    mine.mkdir()
    with av.open(str(asset("portrait.mp4"))) as container:
        frames = [frame.to_image() for frame in container.decode(video=0)]
    frames[0].save(mine / "a.png")
    frames[-1].save(mine / "b.png")
    (mine / "manifest.csv").write_text(
        "path,label,split\na.png,neutral,valid\nb.png,tenderness,valid\n"
    )
    assert _run(ferplus, "--model", checkpoint, "--write-card").exit_code == 0
    options = ["--dataset", "manifest", "--root", mine / "manifest.csv", "--write-card", "--json"]
    result = _run(ferplus, "--model", checkpoint, *options)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["split"] == "wedding valid"
    assert document["command"].endswith(
        "--dataset manifest --root wedding --split valid --suite card"
    )
    # The model's own labels compete, and the paraphrases say nothing of tenderness.
    labels = EmoCLIP.from_pretrained(checkpoint, device="cpu").labels
    assert set(document["classes"]) == {"neutral", "tenderness", *labels}
    rows = {row["key"]: row for row in document["rows"]}
    assert list(rows["wording"]["sets"]) == ["bank", "words", PHOTO]
    card = (checkpoint / "README.md").read_text(encoding="utf-8")
    assert card.index("### FER+, valid split") < card.index("### wedding, valid split")
    # For people, without what only FER+ has.
    result = _run(ferplus, "--model", checkpoint, *options[:4])
    assert result.exit_code == 0, result.output
    assert "tenderness" in result.stdout


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
        (["--dataset", "afew", "--loco", ferplus.parent], "left out of FER+ alone"),
        (["--model", "majority"], "a model that sees"),
        (["--suite", "all"], "card"),
    ):
        result = _run(ferplus, "--model", tiny_checkpoint, *options)
        assert result.exit_code == 2, options
        assert message in result.output
    result = CliRunner().invoke(app, ["evaluate", "--root", str(ferplus), "--write-card"])
    assert result.exit_code == 2
    assert "--suite card" in result.output
