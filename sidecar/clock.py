"""Entry for the clock: every 15 seconds by default, whatever is due is rung for.

Once a day, and when it starts, what has been kept long enough comes to its end, and
certificates are spoken of that are about to. Where there is a mailbox for mails that
came back, it is read every minute.
"""

import signal
import threading

from sqlalchemy.exc import OperationalError, SQLAlchemyError

from sidecar.errors import SidecarError
from sidecar.logs import log
from sidecar.wiring import Wiring

_MINUTE_SECONDS = 60
_HOUR_SECONDS = 3_600
_DAY_SECONDS = 24 * _HOUR_SECONDS


def run(wiring: Wiring) -> None:
    """Sweep until SIGTERM or SIGINT."""
    stopped = threading.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda *_: stopped.set())
    # The first purge of a large database takes a while, and nobody waits for it.
    purging = threading.Thread(
        target=purge_daily, args=(wiring, stopped), name="purge", daemon=True
    )
    purging.start()
    if wiring.settings.bounce_mailbox:
        # Nor for a mail server that takes its time.
        threading.Thread(
            target=read_bounces, args=(wiring, stopped), name="bounces", daemon=True
        ).start()
    while not stopped.is_set():
        try:
            rings = wiring.sweep()
        except OperationalError as exc:
            log().warning("clock.database_away", reason=str(exc.orig))
        else:
            if rings:
                log().info("clock.swept", rings=rings)
        stopped.wait(wiring.settings.sweep_seconds)


def purge_daily(wiring: Wiring, stopped: threading.Event) -> None:
    """Purge now and every day; where that fails, an hour later."""
    while not stopped.is_set():
        pause = _DAY_SECONDS
        try:
            wiring.announce_ends()
            done = wiring.purge(who="the clock")
        except (SidecarError, SQLAlchemyError) as exc:
            log().warning("clock.not_purged", reason=str(getattr(exc, "orig", exc)))
            pause = _HOUR_SECONDS
        else:
            log().info("clock.purged", ended=done)
        stopped.wait(pause)


def read_bounces(wiring: Wiring, stopped: threading.Event) -> None:
    """Read every minute what came back; where that fails, the next time."""
    while not stopped.is_set():
        try:
            read = wiring.read_bounces()
        except SidecarError as exc:
            log().warning("clock.bounces_not_read", reason=str(exc))
        else:
            if read:
                log().info("clock.bounces_read", mails=read)
        stopped.wait(_MINUTE_SECONDS)
