"""A page in the browser: a video, labels of one's own, scores over time (extra ``demo``)."""

from .server import Server, check_gradio, serve

__all__ = ["Server", "check_gradio", "serve"]
