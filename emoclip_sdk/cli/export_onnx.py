"""``emoclip export-onnx``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..runtime.packages import require_package
from . import options as o
from .loading import load_model
from .output import complain, showing_progress

__all__ = ["export_onnx"]


def export_onnx(
    out: Annotated[Path, typer.Argument(help="The folder to write.")],
    model: o.Model = None,
    int8: Annotated[
        bool, typer.Option("--int8", help="Quantise the image tower; needs --calibrate.")
    ] = False,
    calibrate: Annotated[
        list[str] | None,
        typer.Option(
            "--calibrate",
            metavar="VIDEO",
            help="A video with faces like those to come, for --int8. May be repeated: a handful "
            "of different people is better than a long video of one.",
        ),
    ] = None,
    faces: o.Faces = None,
    opset: Annotated[int, typer.Option(metavar="N", help="Version of the operators.", min=18)] = 18,
) -> None:
    """Write a model as ONNX files for onnxruntime, checked against torch."""
    if int8 != bool(calibrate):
        raise typer.BadParameter(
            "int8 is calibrated on faces: give --int8 and --calibrate VIDEO together.",
            param_hint="--int8 / --calibrate",
        )
    for package in ("onnx", "onnxruntime", "onnxscript"):
        require_package(package, "onnx", "Exporting to ONNX")
    loaded = load_model(model, "cpu", "float32")
    with showing_progress() as hook:
        from ..inference.onnx_export import export_onnx as write

        facts = write(
            loaded, out, calibration=calibrate or (), faces=faces, opset=opset, progress=hook
        )
    for file, cosine in facts["cosine"].items():
        kind = facts["image" if file == "image.onnx" else "temporal"]["dtype"]
        complain(f"wrote {out / file}: {kind}, worst cosine to torch {cosine:.6f}")
    complain(f"wrote {out / 'emoclip.json'}")
