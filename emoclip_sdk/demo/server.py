"""Serves the page: by default on this machine only; its files are deleted at the end."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from ..errors import EmoCLIPError, MissingDependencyError
from .gate import Gate

if TYPE_CHECKING:
    import gradio as gr

    from ..model import EmoCLIP

__all__ = ["Server", "check_gradio", "serve"]

_HERE = Path(__file__).parent
_FONTS = ("Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")  # nothing to fetch


def check_gradio() -> None:
    """Make sure that Gradio is installed, without the seconds that its import takes.

    Raises
    ------
    MissingDependencyError
        It isn't installed.
    """
    if importlib.util.find_spec("gradio") is None:
        raise MissingDependencyError("gradio", "demo", "The page in the browser")


class Server(AbstractContextManager["Server"]):
    """The page while it is served; all that was loaded is deleted at the end.

    Parameters
    ----------
    model : EmoCLIP
    host : str
        Address to listen at. ``"127.0.0.1"``: nobody but this machine can reach it.
    port : int, optional
        None: the first free one from 7860 on.
    max_upload_mb : int
        A larger upload is refused, and so are several in one request that are larger together.
    allowed_hosts : sequence of str
        Names under which a proxy serves the page. Others than that of `host` and of this machine
        are refused.

    Attributes
    ----------
    address : str
        To be opened in a browser.
    folder : Path
        Of uploads and files.

    Raises
    ------
    MissingDependencyError
        Gradio isn't installed.
    EmoCLIPError
        The port is in use.
    """

    def __init__(
        self, model: EmoCLIP, host: str = "127.0.0.1", port: int | None = None,
        max_upload_mb: int = 500, allowed_hosts: Sequence[str] = (),
    ) -> None:  # fmt: skip
        check_gradio()
        # Gradio reads both when it is imported and when components are made.
        os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
        self._temporary = tempfile.TemporaryDirectory(
            prefix="emoclip-demo-", ignore_cleanup_errors=True
        )
        self.folder = Path(self._temporary.name).resolve()
        os.environ["GRADIO_TEMP_DIR"] = str(self.folder)
        try:
            self._page = self._launch(model, host, port, max_upload_mb, allowed_hosts)
        except BaseException:
            self._temporary.cleanup()
            raise
        self.address = str(self._page.local_url)

    def _launch(
        self,
        model: EmoCLIP,
        host: str,
        port: int | None,
        max_upload_mb: int,
        allowed_hosts: Sequence[str],
    ) -> gr.Blocks:
        import gradio
        from starlette.middleware import Middleware

        from .page import make_page

        page = make_page(model, self.folder)
        gate = Middleware(
            Gate,
            root=self.folder,
            host=host,
            max_bytes=max_upload_mb * 2**20,
            allowed_hosts=allowed_hosts,
        )
        try:
            page.launch(
                server_name=host,
                server_port=port,
                share=False,
                inbrowser=False,
                prevent_thread_lock=True,
                quiet=True,
                allowed_paths=[],
                max_file_size=f"{max_upload_mb}mb",
                enable_monitoring=False,
                ssr_mode=False,
                mcp_server=False,
                run_history=False,
                footer_links=[],
                theme=gradio.themes.Default(
                    primary_hue="blue",
                    secondary_hue="blue",
                    font=[gradio.themes.Font(name) for name in _FONTS],
                    font_mono=[gradio.themes.Font("monospace")],
                ),
                css_paths=_HERE / "style.css",
                head=f"<script>{(_HERE / 'follow.js').read_text(encoding='utf-8')}</script>",
                app_kwargs={"middleware": [gate]},
            )
        except OSError as error:
            raise EmoCLIPError(
                f"the page can't be served at {host}, port {port or 'any'} ({error}). "
                "Try another --port"
            ) from error
        except ValueError as error:  # of Gradio, which looks for its own page
            raise EmoCLIPError(
                f"the page at {host} doesn't answer this machine itself. Is it very busy, or is a "
                "proxy set that it goes through (NO_PROXY=localhost,127.0.0.1)? Try again"
            ) from error
        return page

    def wait(self) -> None:
        """Return when Ctrl-C is pressed."""
        self._page.block_thread()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the page and delete its files."""
        self._page.close(verbose=False)
        self._temporary.cleanup()


def serve(
    model: EmoCLIP,
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    max_upload_mb: int = 500,
    allowed_hosts: Sequence[str] = (),
    started: Callable[[str], None] = print,
) -> None:
    """Serve the page until Ctrl-C is pressed, and delete all that was loaded.

    Parameters
    ----------
    model : EmoCLIP
    host, port, max_upload_mb, allowed_hosts
        See :class:`Server`.
    started : callable
        Called with the address when the page can be opened.

    Raises
    ------
    MissingDependencyError
        Gradio isn't installed.
    EmoCLIPError
        The port is in use.
    """
    # What ends a service should clean up as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with Server(model, host, port, max_upload_mb, allowed_hosts) as server:
        started(server.address)
        server.wait()
