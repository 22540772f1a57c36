"""What is made of bytes that somebody chooses: picks, texts, documents gone wrong.

Coverage-guided fuzzing changes bytes; most of what a parser can be surprised by needs
more order than bytes have by themselves. So bytes are decisions here: the same bytes
give the same document, and a byte more is one decision more.
"""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, TypeVar

T = TypeVar("T")

# Names that mean something somewhere, and values at the edges of what is taken.
NAMES = (
    *("ChangeEventHeader", "EventUuid", "OrganizationId", "events", "event", "data"),
    *("payload", "detail", "detail-type", "source", "channel", "sobject", "id", "Id"),
    *("replayId", "replay_id", "object", "record", "New", "attributes", "type"),
    *("recordIds", "changedFields", "nulledFields", "changeType", "changeOrigin"),
    *("entityName", "sequenceNumber", "commitUser", "transactionKey", "topic_name"),
    *("Record_Id__c", "Object__c", "New_Status__c", "Changed_By_Id__c", "algorithm"),
    *(
        "fields",
        "name",
        "items",
        "symbols",
        "logicalType",
        "scale",
        "precision",
        "size",
    ),
    *("LastModifiedById", "Referral_Status__c", "SessionId", "", "\0", "é"),
)
WORDS = (
    *("", "Lead", "00Q000000000001EAA", "00Q000000000001", "00D000000000001EAA"),
    *("UPDATE", "CREATE", "GAP_OVERFLOW", "GAP_UPDATE", "DELETE", "Referral_Status__c"),
    *(
        "Referral_Status_Change__e",
        "/event/Referral_Status_Change__e",
        "LeadChangeEvent",
    ),
    *("0x1", "0xFFFFFFFFFFFFFFFFFF", "1-0x3", "²-0x1", "-0x1", "0x", "HMACSHA256"),
    *("aws.partner/salesforce.com/00D000000000001EAA/x", "client=referral-sidecar/"),
    *(
        "bytes",
        "fixed",
        "array",
        "map",
        "enum",
        "decimal",
        "uuid",
        "date",
        "time-millis",
    ),
    *("timestamp-micros", "record", "string", "long", "double", "boolean", "null", "X"),
    *("9" * 22, "-1", "\0" * 15),
    *("9" * 5000, "1e400", "\0", "\x7f", "٣", "²", "a" * 300, "\u2028", "%00", "x__c"),
)
NUMBERS = (0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 2**64 - 1, 2**64, 10**39)


class Draw:
    """Decisions, one after the other; when no byte is left, the first of everything."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def number(self, below: int) -> int:
        """Give a number from 0 on."""
        width = 1 if below <= 256 else 2
        return int.from_bytes(self.bytes(width)) % below

    def pick(self, options: Sequence[T]) -> T:
        """Give one of them."""
        return options[self.number(len(options))]

    def bytes(self, count: int) -> bytes:
        """Give so many bytes, or what is left."""
        taken = self._data[self._place : self._place + count]
        self._place += count
        return taken

    def rest(self) -> bytes:
        """Give all that is left."""
        return self.bytes(len(self._data))

    def text(self) -> str:
        """Give a short text, or a word that means something."""
        if self.number(2) == 0:
            return self.pick(WORDS)
        return self.bytes(self.number(40)).decode("utf-8", "replace")

    def document(self, depth: int = 0) -> Any:
        """Give any JSON."""
        match self.number(8 if depth < 5 else 5):
            case 0:
                return None
            case 1:
                return self.number(2) == 0
            case 2:
                return self.pick(NUMBERS)
            case 5:
                return [self.document(depth + 1) for _ in range(self.number(4))]
            case 6 | 7:
                return {
                    self.pick(NAMES): self.document(depth + 1)
                    for _ in range(self.number(5))
                }
            case _:
                return self.text()

    def altered(self, document: Any) -> Any:
        """Change a document in some places; ``document`` itself stays."""
        made = deepcopy(document)
        for _ in range(self.number(4)):
            made = self._changed(made)
        return made

    def _changed(self, within: Any) -> Any:
        if isinstance(within, list) and within and self.number(4):
            place = self.number(len(within))
            within[place] = self._changed(within[place])
            return within
        if isinstance(within, dict) and within and self.number(4):
            name = self.pick(list(within))
            match self.number(8):
                case 0:
                    del within[name]
                case 1:
                    within[self.pick(NAMES)] = self.document()
                case 2:
                    within[self.text()] = within.pop(name)
                case _:
                    within[name] = self._changed(within[name])
            return within
        match self.number(4):
            case 0:
                return self.document()
            case 1:
                return self.pick(NUMBERS)
            case _:
                return self.pick(WORDS)
