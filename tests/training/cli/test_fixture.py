"""``emoclip-train make-fixture``."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from emoclip_sdk.errors import DatasetError


def test_command(tmp_path: Path) -> None:
    from emoclip_sdk.training.cli import app

    options = ["--clips-per-class", "5", "--size", "32", "--frames", "2", "2", "--subjects", "5"]
    out = tmp_path / "order"
    command = ["make-fixture", "--dataset", "order", "-o", str(out), *options]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert (out / "manifest.csv").is_file()
    again = CliRunner().invoke(app, command)
    assert isinstance(again.exception, DatasetError)
    assert "not an empty folder" in str(again.exception)
