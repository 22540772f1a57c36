"""A local Chromium that draws mails; it sees no network, and nothing is installed.

It is spoken to through two pipes, in the DevTools protocol: JSON, a NUL behind each
message. A picture of the whole mail, at any width and in dark colours, is what no
option of its command line gives.
"""

import base64
import json
import os
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sidecar.errors import Permanent

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
)
"""As what it is found on the PATH, first come first."""

_SECONDS = 60.0
"""For one answer. The first comes after the browser has started."""

_TALLEST = 20_000

_OPTIONS = (
    "--headless",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--disable-dev-shm-usage",
)


def find(names: Sequence[str] = NAMES) -> Path | None:
    """Find a Chromium on the PATH; None where there is none."""
    found = next(filter(None, map(shutil.which, names)), None)
    return Path(found) if found else None


class Sheet:
    """An empty page of a running Chromium, to draw one mail after the other on."""

    def __init__(self, to_it: int, from_it: int) -> None:
        """Speak through these file descriptors."""
        self._to_it, self._from_it = to_it, from_it
        self._heard = bytearray()
        self._number = 0
        self._session: str | None = None
        page = self._ask("Target.createTarget", url="about:blank")
        attached = self._ask(
            "Target.attachToTarget", targetId=page["targetId"], flatten=True
        )
        self._session = attached["sessionId"]
        # A mail program runs no scripts either, and fetches nothing without asking.
        self._ask("Emulation.setScriptExecutionDisabled", value=True)
        self._ask("Network.enable")
        self._ask("Network.setBlockedURLs", urls=["http:*", "https:*", "file:*"])

    def show(self, html: str, *, width: int, dark: bool = False) -> None:
        """Lay out a document, in CSS pixels."""
        self._size(width, 200)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._ask("Emulation.setEmulatedMedia", features=[scheme])
        frame = self._ask("Page.getFrameTree")["frameTree"]["frame"]["id"]
        self._ask("Page.setDocumentContent", frameId=frame, html=html)

    def value_of(self, expression: str) -> Any:
        """Evaluate JavaScript in the document; what it gives as JSON."""
        answer = self._ask(
            "Runtime.evaluate", expression=expression, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise ValueError(answer["exceptionDetails"]["exception"]["description"])
        return answer["result"].get("value")

    def picture(self) -> bytes:
        """Give the whole of what is shown as PNG, as high as it is."""
        width, height = self.value_of(
            "[innerWidth, Math.ceil(document.documentElement.getBoundingClientRect()"
            ".height)]"
        )
        self._size(width, min(max(height, 1), _TALLEST))
        return base64.b64decode(self._ask("Page.captureScreenshot")["data"])

    def _size(self, width: int, height: int) -> None:
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def _ask(self, method: str, **params: object) -> dict[str, Any]:
        self._number += 1
        call = {"id": self._number, "method": method, "params": params}
        if self._session is not None:
            call["sessionId"] = self._session
        self._write(json.dumps(call).encode() + b"\0")
        until = time.monotonic() + _SECONDS
        while True:
            answer = json.loads(self._next(until, method))
            if answer.get("id") != self._number:
                continue  # an event, of which there are many
            if "error" in answer:
                raise Permanent(f"Chromium: {method}: {answer['error']['message']}")
            result: dict[str, Any] = answer["result"]
            return result

    def _write(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(self._to_it, data) :]
        except BrokenPipeError as exc:
            raise Permanent("Chromium has ended") from exc

    def _next(self, until: float, method: str) -> bytes:
        while (end := self._heard.find(b"\0")) < 0:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self._from_it], [], [], left)[0]:
                raise Permanent(f"Chromium gave no answer to {method} in time")
            if not (more := os.read(self._from_it, 1 << 16)):
                raise Permanent("Chromium has ended")
            self._heard += more
        message = bytes(self._heard[:end])
        del self._heard[: end + 1]
        return message


@contextmanager
def sheet(program: Path) -> Iterator[Sheet]:
    """
    Start a Chromium with nobody's profile, and end it.

    Raises:
        Permanent: it does not start, or ends, or does not answer; in its own words
            where it said any.
    """
    with tempfile.TemporaryDirectory(prefix="sidecar-chromium-") as home:
        errors = Path(home) / "stderr"
        to_it, from_it, process = _start(program, Path(home), errors)
        try:
            yield Sheet(to_it, from_it)
        except Permanent as exc:
            said = errors.read_text(errors="replace").strip().splitlines()
            raise Permanent(f"{exc}: {said[-1]}" if said else str(exc)) from exc
        finally:
            os.close(to_it)
            os.close(from_it)
            _end(process)


def _start(program: Path, home: Path, errors: Path) -> tuple[int, int, int]:
    """
    Give the pipes' ends and the process.

    Source:
        "--remote-debugging-pipe", Chromium: it reads from 3 and writes to 4.
    """
    theirs_in, to_it = os.pipe()
    from_it, theirs_out = os.pipe()
    options = [*_OPTIONS, f"--user-data-dir={home / 'profile'}"]
    if os.geteuid() == 0:
        options.append("--no-sandbox")  # with it, root cannot start one at all
    # The ends are moved out of the way first: one of them may be a 3 or a 4.
    spare = max(theirs_in, theirs_out, 4) + 1
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, str(errors), os.O_WRONLY | os.O_CREAT, 0o600),
        (os.POSIX_SPAWN_DUP2, theirs_in, spare),
        (os.POSIX_SPAWN_DUP2, theirs_out, spare + 1),
        (os.POSIX_SPAWN_DUP2, spare, 3),
        (os.POSIX_SPAWN_DUP2, spare + 1, 4),
        (os.POSIX_SPAWN_CLOSE, spare),
        (os.POSIX_SPAWN_CLOSE, spare + 1),
    ]
    try:
        process = os.posix_spawn(
            program,
            [str(program), *options],
            # Our own environment holds keys.
            {"HOME": str(home), "PATH": os.defpath, "LANG": "C.UTF-8"},
            file_actions=files,
            setpgroup=0,
        )
    except OSError as exc:
        os.close(to_it)
        os.close(from_it)
        raise Permanent(f"{program} does not start: {exc.strerror}") from exc
    finally:
        os.close(theirs_in)
        os.close(theirs_out)
    return to_it, from_it, process


def _end(process: int) -> None:
    """End it with all that it started: a group of its own."""
    with suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
    os.waitpid(process, 0)
