"""The command ``emoclip-train``: parse, call, print. One module per group of commands."""

from . import data, evaluate, fixture, ness, report, train
from .application import app, main

__all__ = ["app", "data", "evaluate", "fixture", "main", "ness", "report", "train"]
