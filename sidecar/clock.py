"""Entry for the clock: every 15 seconds by default, whatever is due is rung for."""

import signal
import threading

from sqlalchemy.exc import OperationalError

from sidecar.logs import log
from sidecar.wiring import Wiring


def run(wiring: Wiring) -> None:
    """Sweep until SIGTERM or SIGINT."""
    stopped = threading.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda *_: stopped.set())
    while not stopped.is_set():
        try:
            rings = wiring.sweep()
        except OperationalError as exc:
            log().warning("clock.database_away", reason=str(exc.orig))
        else:
            if rings:
                log().info("clock.swept", rings=rings)
        stopped.wait(wiring.settings.sweep_seconds)
