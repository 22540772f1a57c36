"""Misfortunes of outbound messages that a test may order."""

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace

from sidecar.devorg.outbound.message import MOST_NOTIFICATIONS


@dataclass(frozen=True)
class Switches:
    """
    How delivery departs from the ordinary.

    A misfortune is a float for a fraction of all, or an int for the next n.

    Attributes:
        paused: nothing is sent.
        batch_size: at most so many notifications in a message, 1 to 100.
        drop: notifications never sent, as when the queue was purged.
        delay: notifications put off by ``delay_seconds`` of org time, once each.
        duplicate: messages sent twice.
        lose_answer: messages whose acknowledgement never arrives; sent again.
        shuffle: due notifications leave in any order.
        silent_users: usernames without "Send Outbound Messages": their saves
            queue nothing.
        timeout_seconds: real seconds an endpoint may take; Salesforce waits 60.
        ca_file: who may have signed an endpoint's certificate; None: the usual.
    """

    paused: bool = False
    batch_size: int = MOST_NOTIFICATIONS
    drop: float = 0
    delay: float = 0
    delay_seconds: float = 60
    duplicate: float = 0
    lose_answer: float = 0
    shuffle: bool = False
    silent_users: tuple[str, ...] = ()
    timeout_seconds: float = 60
    ca_file: str | None = None

    def changed(self, wishes: Mapping[str, object]) -> "Switches":
        """
        Return the switches with some of them set.

        Raises:
            ValueError: no such switch, or a batch size that no message has.
        """
        known = {each.name for each in fields(self)}
        if unknown := sorted(set(wishes) - known):
            raise ValueError(f"no such switch: {', '.join(unknown)}")
        values = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in wishes.items()
        }
        made = replace(self, **values)  # type: ignore[arg-type]
        if not 1 <= made.batch_size <= MOST_NOTIFICATIONS:
            raise ValueError("batch_size is 1 to 100")
        return made

    def as_json(self) -> dict[str, object]:
        """Return the switches by name."""
        return asdict(self)


class Luck:
    """Decides which notification or message a misfortune strikes."""

    def __init__(self, *, rng: random.Random) -> None:
        """``rng`` is seeded by the org, so that a run can be repeated."""
        self._rng = rng
        self._left: dict[str, int] = {}

    def reset(self, switches: Switches) -> None:
        """Begin counting anew: the switches were set."""
        self._left = {
            name: value
            for name, value in switches.as_json().items()
            if isinstance(value, int) and not isinstance(value, bool)
        }

    def strikes(self, name: str, switches: Switches) -> bool:
        """Decide once; uses up one of the next n."""
        wanted: float = getattr(switches, name)
        if not wanted:
            return False
        if isinstance(wanted, int):
            left = self._left.get(name, 0)
            self._left[name] = left - 1
            return left > 0
        return self._rng.random() < wanted
