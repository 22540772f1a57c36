"""What can go wrong, told by what may be done about it.

    SidecarError
    ├── Retryable        the same attempt may succeed later
    ├── Permanent        the same attempt will fail again: a person must look
    │   ├── Unreadable   what came in is not what its sender promised to send
    │   └── Forged       what came in is not from whom it says
    └── Uncertain        it may or may not have happened

Only the adapter that understands an answer raises one of these; whoever calls the
adapter decides by class alone. Anything else is a bug and is not caught.
"""

from datetime import datetime


class SidecarError(Exception):
    """The root; its text is written for the person who has to act."""


class Retryable(SidecarError):
    """The same attempt may succeed later."""

    def __init__(
        self,
        message: str,
        *,
        retry_at: datetime | None = None,
        pauses_org: bool = False,
    ) -> None:
        """
        Args:
            message: the other side's own words where there are any.
            retry_at: aware UTC; the other side asked not to be called before.
            pauses_org: nothing of this org should be tried before ``retry_at``,
                as when its API limit is used up.
        """
        super().__init__(message)
        self.retry_at = retry_at
        self.pauses_org = pauses_org


class Permanent(SidecarError):
    """The same attempt will fail again: a person must look."""


class Unreadable(Permanent):
    """What came in is not what its sender promised to send."""


class Forged(Permanent):
    """What came in is not from whom it says."""


class Uncertain(SidecarError):
    """It may or may not have happened; only a policy or a person can say."""
