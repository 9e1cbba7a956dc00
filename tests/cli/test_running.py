"""Both commands end in the same way."""

from __future__ import annotations

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
