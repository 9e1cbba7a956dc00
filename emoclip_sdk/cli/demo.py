"""``emoclip demo``."""

from __future__ import annotations

from typing import Annotated

import typer

from . import options as o
from .loading import load_model
from .output import complain

__all__ = ["demo"]


def demo(
    host: Annotated[
        str, typer.Option(help="Address to listen at; 0.0.0.0 lets other machines in.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(help="[default: the first free one from 7860 on]", min=1, max=65535),
    ] = None,
    max_upload: Annotated[
        int, typer.Option(metavar="MB", help="Refuse larger videos.", min=1)
    ] = 500,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A name under which a proxy serves the page. May be repeated; others are refused.",
        ),
    ] = None,
    model: o.Model = None,
    prompts: o.Prompts = None,
    device: o.Device = "auto",
    dtype: o.Dtype = "auto",
) -> None:
    """Open a page in the browser: load or record a video, type labels, see them over time.

    Only this machine can reach the page. What is loaded stays here and is deleted. Ctrl-C ends it.
    Needs the extra "demo". The model reads what a face shows, not what a person feels.
    """
    from ..demo import check_gradio, serve

    check_gradio()
    loaded = load_model(model, device, dtype, prompts)
    if host not in ("127.0.0.1", "localhost", "::1"):
        complain(f"Anybody who can reach {host} can use this page: there is no password.")
    serve(
        loaded,
        host=host,
        port=port,
        max_upload_mb=max_upload,
        allowed_hosts=allow_host or (),
        started=lambda address: print(f"Open {address} in a browser. Ctrl-C ends it.", flush=True),
    )
