"""What the page lets through to Gradio: uploads, from its own address, in bounds.

Gradio fetches network addresses that a client names in the place of an upload, serves routes that
this page doesn't need, and counts the bytes of each file, not of a request.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import EmoCLIPError

__all__ = ["Gate", "without_paths"]

_Scope = MutableMapping[str, Any]
_Message = MutableMapping[str, Any]
_App = Callable[..., Awaitable[None]]

_CLOSED = ("/proxy=", "/file=http", "/component_server", "/deep_link", "/process_recording")
_LOCAL = frozenset(("localhost", "127.0.0.1", "::1"))
_ANYWHERE = frozenset(("0.0.0.0", "::", ""))
_MAX_JSON = 2 * 2**20
_OVERHEAD = 2**16  # of a form around its files


class Gate:
    """ASGI middleware in front of the page.

    Parameters
    ----------
    app : callable
    root : Path
        The folder of uploads: no request may name a file elsewhere.
    host : str
        Where the page listens. A name other than it, of this machine or an IP address, is another
        site's that points here (DNS rebinding).
    max_bytes : int
        Of all files of a request.
    allowed_hosts : iterable of str
        Names under which a proxy serves the page.
    """

    def __init__(
        self, app: _App, root: Path, host: str, max_bytes: int, allowed_hosts: Iterable[str] = ()
    ) -> None:
        self._app = app
        self._root = root
        self._hosts = _LOCAL | {host.lower(), *(name.lower() for name in allowed_hosts)}
        self._any_address = host in _ANYWHERE
        self._max_bytes = max_bytes

    async def __call__(self, scope: _Scope, receive: Any, send: Any) -> None:
        """Answer a request that is refused, and hand on all others."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        path = scope.get("path", "").lower()
        if not self._is_ours(headers) or any(part in path for part in _CLOSED):
            await _refuse(scope, send, 403)
            return
        if scope["type"] == "http" and scope.get("method") in ("POST", "PUT", "PATCH"):
            if path.rstrip("/").endswith("/upload"):
                await self._upload(scope, receive, send, headers)
                return
            body = await _body(receive, _MAX_JSON)
            if body is None or not self._names_uploads_only(body):
                await _refuse(scope, send, 413 if body is None else 403)
                return
            receive = _again(body, receive)
        await self._app(scope, receive, send)

    def _is_ours(self, headers: MutableMapping[str, str]) -> bool:
        """Check the host that a browser means, and the site that sends it here."""
        host = headers.get("host", "")
        if not self._is_known(_name(f"//{host}")):
            return False
        origin = headers.get("origin")
        if origin is None:
            return True
        # Behind a proxy the host may be ours, while the browser knows the proxy's name.
        same = origin.lower().partition("://")[2] == host.lower()
        return same or _name(origin) in self._hosts - _LOCAL

    def _is_known(self, name: str) -> bool:
        if name in self._hosts:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return self._any_address

    async def _upload(
        self, scope: _Scope, receive: Any, send: Any, headers: MutableMapping[str, str]
    ) -> None:
        limit = self._max_bytes + _OVERHEAD
        stated = headers.get("content-length", "")
        if stated.isdigit() and int(stated) > limit:
            await _refuse(scope, send, 413)
            return
        received = 0
        started = False

        async def counted() -> _Message:
            nonlocal received
            message: _Message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise _TooLarge
            return message

        async def watched(message: _Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, counted, watched)
        except _TooLarge:
            if not started:
                await _refuse(scope, send, 413)

    def _names_uploads_only(self, body: bytes) -> bool:
        """Whether every file that a request names was uploaded here."""
        if not body:
            return True
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            return False
        return all(self._is_upload(file) for file in _files(content))

    def _is_upload(self, file: MutableMapping[str, Any]) -> bool:
        path, url = file.get("path"), file.get("url")
        if url is not None and not self._is_own_address(url):
            return False
        if path is None:
            return url is None
        try:
            real = Path(path).resolve()
            return isinstance(path, str) and real.is_relative_to(self._root) and real.is_file()
        except (OSError, TypeError, ValueError):
            return False

    def _is_own_address(self, url: Any) -> bool:
        if not isinstance(url, str):
            return False
        if url.startswith("/") and not url.startswith("//"):
            return True
        address = url.removeprefix("blob:")
        return address.startswith(("http://", "https://")) and self._is_known(_name(address))


def without_paths(error: EmoCLIPError) -> str:
    """Return the words of an error for visitors: files by their names, not where they lie."""
    # Whole paths, blanks in file names left alone: what follows the last separator stays.
    return re.sub(r"(?<![\w.])(?:[A-Za-z]:)?[\\/](?:[^\\/\s:'\"]+[\\/])+", "", str(error))


class _TooLarge(Exception):
    """A request goes on beyond its limit."""


def _name(address: str) -> str:
    """Return the host of an address, without its port, in lower case."""
    try:
        return (urlsplit(address).hostname or "").lower()
    except ValueError:
        return "?"


def _files(content: Any) -> Iterator[MutableMapping[str, Any]]:
    """Yield everything that Gradio takes for a file, however deep it is."""
    waiting = [content]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "path" in value or "url" in value:
                yield value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


async def _body(receive: Any, limit: int) -> bytes | None:
    """Return the whole body of a request; None where it is too large."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if sum(map(len, parts)) > limit:
            return None
        if not message.get("more_body"):
            return b"".join(parts)


def _again(body: bytes, receive: Any) -> Any:
    """Hand on a body that was read, then what comes after it."""
    sent = False

    async def replay() -> _Message:
        nonlocal sent
        if sent:
            message: _Message = await receive()
            return message
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _refuse(scope: _Scope, send: Any, status: int) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    text = b"Too large" if status == 413 else b"Forbidden"
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": text})
