"""The command ``emoclip-train``: parse, call, print. One module per group of commands."""

from . import evaluate, train
from .application import app, main

__all__ = ["app", "evaluate", "main", "train"]
