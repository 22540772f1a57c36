"""Misfortunes to order: the next matching requests fail, before or after acting."""

import re
import threading
from dataclasses import dataclass


@dataclass(slots=True)
class Fault:
    """
    What befalls the next ``count`` requests that match.

    ``method`` and ``path`` are regular expressions, searched for in the request's
    method and its path with query. The request waits ``delay_s`` real seconds. It
    then is carried out, and its answer lost, if ``after_acting``; else it is not.
    ``hang_up`` closes the connection without an answer; otherwise the answer is
    ``status`` with one error, or with ``body`` as it stands. A fault with status 0
    that does not hang up only delays.
    """

    method: str = ""
    path: str = ""
    count: int = 1
    status: int = 503
    error_code: str = "SERVER_UNAVAILABLE"
    message: str = "the server is unavailable"
    body: str | None = None
    content_type: str = "application/json;charset=UTF-8"
    delay_s: float = 0.0
    after_acting: bool = False
    hang_up: bool = False


class Faults:
    """The faults in waiting; each is used up by the requests it strikes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let this befall the next requests that match."""
        re.compile(fault.method)
        re.compile(fault.path)
        with self._lock:
            self._waiting.append(fault)

    def strike(self, method: str, path: str) -> Fault | None:
        """Return what befalls this request, and count it; None: nothing."""
        with self._lock:
            for fault in self._waiting:
                if re.search(fault.method, method) and re.search(fault.path, path):
                    fault.count -= 1
                    if fault.count <= 0:
                        self._waiting.remove(fault)
                    return fault
        return None

    def clear(self) -> None:
        """Call off what has not happened yet."""
        with self._lock:
            self._waiting.clear()

    def waiting(self) -> list[Fault]:
        """Return the faults that are still to come."""
        with self._lock:
            return list(self._waiting)
