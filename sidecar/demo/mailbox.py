"""A mail server that keeps each mail as a file: ``python -m sidecar.demo.mailbox``."""

import argparse
import asyncio
import itertools
import signal
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

_SIZE_LIMIT = 32 * 1024 * 1024


class _Keeper:
    """Writes a mail down before it says 250."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = itertools.count(1)

    async def handle_DATA(  # noqa: N802 aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        number = next(self._number)
        content = envelope.original_content or b""
        unfinished = self._folder / f"{number:06}.part"
        unfinished.write_bytes(content)
        unfinished.rename(self._folder / f"{number:06}.eml")
        return f"250 2.0.0 kept as {number}"


async def _serve(host: str, port: int, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    keeper = _Keeper(folder)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(
            keeper, enable_SMTPUTF8=True, data_size_limit=_SIZE_LIMIT, loop=loop
        ),
        host,
        port,
    )
    taken = server.sockets[0].getsockname()[1]
    (folder / "port").write_text(str(taken))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with server:
        await stop.wait()


def main() -> None:
    """Serve on 127.0.0.1 until told to stop; the port is written to ``port``."""
    parser = argparse.ArgumentParser(prog="python -m sidecar.demo.mailbox")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--folder", type=Path, required=True)
    given = parser.parse_args()
    asyncio.run(_serve("127.0.0.1", given.port, given.folder))


if __name__ == "__main__":
    main()
