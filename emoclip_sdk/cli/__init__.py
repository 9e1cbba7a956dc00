"""The command line: parse, call, print. Nothing here imports torch before a model is needed."""

from .application import app, main

__all__ = ["app", "main"]
