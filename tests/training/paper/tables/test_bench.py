"""What is measured, and what is read again instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from emoclip_sdk.training.paper.tables import Request, bench, fill_table, published

from .conftest import small_clips

TABLES = {table.id: table for table in published().tables}


def test_a_second_run_measures_nothing(
    make_bench, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = f"datasets: {{mafw: M}}\nmodels: {{clip: {tiny_checkpoint}}}\n"
    first = fill_table(make_bench(roots), TABLES["table_1"])
    with monkeypatch.context() as patch:
        patch.setattr(bench.EmoCLIP, "from_pretrained", lambda *a, **k: pytest.fail("loaded"))
        again = make_bench(roots)
        assert fill_table(again, TABLES["table_1"]) == first
    # Another text for a class is another measurement; the weights were read for it.
    file = again.roots.path.parent / "own.yaml"
    classes = small_clips("mafw", Path()).classes
    file.write_text("\n".join(f"{name}: a face of {name}" for name in classes))
    other = make_bench(roots + "prompts: own.yaml\n")
    before = len(list(other.folder.iterdir()))
    other.measure(Request("clip", "mafw", frames="mean"))
    assert len(list(other.folder.iterdir())) == before + 1


def test_a_broken_measurement_is_made_again(
    make_bench, tiny_checkpoint: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = make_bench(f"datasets: {{mafw: M}}\nmodels: {{clip: {tiny_checkpoint}}}\n")
    request = Request("clip", "mafw")
    result = made.measure(request)
    (path,) = made.folder.iterdir()
    path.write_text(path.read_text()[:100])  # the power went
    assert made.measure(request) == result
    assert "measured again" in caplog.text


def test_a_probe_is_measured_on_its_encoder(make_bench, tiny_checkpoint: Path, tiny_model) -> None:
    from emoclip_sdk.training.paper.classifier import (
        Classifier,
        evaluate_classifier,
        save_classifier,
    )

    made = make_bench("datasets: {dfew: D}\nmodels: {probe: 'probe-{dataset}-{fold}'}\n")
    dataset = small_clips("dfew", Path())
    folder = made.roots.path.parent / "probe-dfew-1"
    save_classifier(folder, Classifier(tiny_model.encoder.width, 8, 7), dataset.classes, tiny_model)
    result = made.measure(Request("probe", "dfew"))
    expected = evaluate_classifier(folder, tiny_model, dataset)
    assert result["confusion"] == expected["confusion"]
    table = fill_table(made, TABLES["table_4"])
    row = table["parts"][0]["rows"][1]
    assert row["folds"] == [1]
    assert row["why"][0] == "fold 2: probe-dfew-{fold}: no such folder"
