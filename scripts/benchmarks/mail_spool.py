"""A mail server's queue: a letter is on the disk before it is accepted, as relays do.

Source: RFC 5321, section 6.1: who says 250 has taken the responsibility.
"""

import os
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session


class Spool:
    """Handler for ``python -m aiosmtpd -c mail_spool.Spool FOLDER``."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is there and empty; what is in it is overwritten."""
        self._folder = folder
        self._number = 0

    @classmethod
    def from_cli(cls, _parser: object, folder: str) -> "Spool":
        """Be made by aiosmtpd's command line."""
        return cls(Path(folder))

    async def handle_DATA(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep a letter, then accept it."""
        self._number = (self._number + 1) % 1000
        content = envelope.content or b""
        with (self._folder / str(self._number)).open("wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
            file.flush()
            os.fsync(file.fileno())
        return "250 kept"
