"""How the org says no: Salesforce's error codes, in Salesforce's words."""

from collections.abc import Sequence


class Refusal(Exception):
    """One request, or one record of it, that the org will not carry out."""

    def __init__(
        self,
        error_code: str,
        message: str,
        *,
        status: int = 400,
        fields: Sequence[str] | None = None,
    ) -> None:
        """
        Args:
            error_code: as in "Core Data Types: StatusCode", SOAP API guide.
            message: Salesforce's words.
            status: the HTTP status when the whole REST request is refused.
            fields: names of the fields at fault; None leaves the key out of the
                REST answer, as Salesforce does for errors not met in saving.
        """
        super().__init__(f"{error_code}: {message}")
        self.error_code = error_code
        self.message = message
        self.status = status
        self.fields = None if fields is None else list(fields)

    def as_rest(self) -> dict[str, object]:
        """Return one element of a REST error list."""
        answer: dict[str, object] = {
            "message": self.message,
            "errorCode": self.error_code,
        }
        if self.fields is not None:
            answer["fields"] = self.fields
        return answer

    def as_save_error(self) -> dict[str, object]:
        """Return one element of ``errors`` in a collections answer."""
        return {
            "statusCode": self.error_code,
            "message": self.message,
            "fields": self.fields or [],
        }


def not_found() -> Refusal:
    """Return the refusal of a path that leads nowhere."""
    return Refusal("NOT_FOUND", "The requested resource does not exist", status=404)
