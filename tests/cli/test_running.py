"""Both commands end in the same way."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import typer

from emoclip_sdk.cli.running import run
from emoclip_sdk.errors import DatasetError


def failing(error: BaseException) -> typer.Typer:
    app = typer.Typer(pretty_exceptions_enable=False)

    @app.command()
    def fail() -> None:
        raise error

    return app


@pytest.mark.parametrize("name", ["emoclip", "emoclip-train"])
@pytest.mark.parametrize(
    "error, code, message",
    [
        (DatasetError("a.csv: is\nempty"), 1, "Error: a.csv: is empty\n"),
        (RuntimeError("oh"), 1, "Error: unexpected RuntimeError: oh. This is a bug in emoclip_sdk"),
        (KeyboardInterrupt(), 130, ""),
        (OSError(2, "No such file", "x"), 1, "Error: unexpected FileNotFoundError"),
    ],
)
def test_errors(monkeypatch, capsys, name, error, code, message):
    monkeypatch.delenv("EMOCLIP_DEBUG", raising=False)
    monkeypatch.setattr("sys.argv", [name])
    with pytest.raises(SystemExit) as ended:
        run(failing(error), name)
    err = capsys.readouterr().err
    assert ended.value.code == code and err.startswith(message) and "Traceback" not in err


def test_emoclip_train_runs_through_it(monkeypatch, capsys):
    from emoclip_sdk.training.cli import application

    monkeypatch.setattr(application, "app", failing(DatasetError("broken")))
    monkeypatch.setattr("sys.argv", ["emoclip-train"])
    with pytest.raises(SystemExit) as ended:
        application.main()
    assert ended.value.code == 1 and capsys.readouterr().err == "Error: broken\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full device there")
def test_a_full_disk_behind_standard_output_is_no_bug():
    command = [sys.executable, "-m", "emoclip_sdk", "prompts", "show", "joy"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr == "Error: standard output can't be written (No space left on device)\n"
