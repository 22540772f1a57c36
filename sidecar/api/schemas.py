"""What the doors answer, and what they take beside the schemas of ``intake``."""

from marshmallow import INCLUDE, Schema, fields, validate


class Kept(Schema):
    """Everything is committed."""

    events = fields.Integer(
        required=True, metadata={"description": "How many records it spoke of."}
    )
    new = fields.Integer(
        required=True, metadata={"description": "How many were not known before."}
    )


class Refusal(Schema):
    """Why nothing was taken."""

    error = fields.String(required=True)


class Condition(Schema):
    """How the process is."""

    status = fields.String(required=True)


class _Open(Schema):
    class Meta:
        """Unknown fields are kept."""

        unknown = INCLUDE


class StatusChange(_Open):
    """The payload of ``Referral_Status_Change__e`` by itself, as a Flow posts it."""

    Record_Id__c = fields.Raw(required=True)
    Object__c = fields.Raw(required=True)
    New_Status__c = fields.Raw(required=True)
    EventUuid = fields.Raw()


class _Attributes(_Open):
    type = fields.String(required=True)


class SalesforceRecord(_Open):
    """A record as Apex writes it; it is read back from the org."""

    Id = fields.String(required=True)
    attributes = fields.Nested(_Attributes, required=True)


class TriggerContext(_Open):
    """Records as Apex's trigger context has them."""

    New = fields.List(fields.Nested(SalesforceRecord), required=True)


class Webhook(_Open):
    """What Standard Webhooks recommends, around an event."""

    type = fields.String(required=True)
    data = fields.Nested(StatusChange, required=True)


class Bounce(Schema):
    """What became of a mail at one recipient, in the words of RFC 3464."""

    message_id = fields.String(
        allow_none=True,
        metadata={"description": "Of the mail that came back, with its `<>`."},
    )
    recipient = fields.String(required=True, metadata={"example": "rita@example.com"})
    status = fields.String(
        required=True,
        metadata={"description": "RFC 3463.", "example": "5.1.1"},
    )
    action = fields.String(
        required=True,
        metadata={
            "description": "failed, delayed, delivered, relayed or expanded.",
            "example": "failed",
        },
    )


class CountedBounces(Schema):
    """What came of them."""

    bounces = fields.Integer(required=True)
    ours = fields.Integer(
        required=True, metadata={"description": "About mails that we sent there."}
    )
    suppressed = fields.Integer(
        required=True, metadata={"description": "Addresses newly written to no more."}
    )


class CanvasForm(Schema):
    """What Salesforce posts when a page shows the canvas app."""

    signed_request = fields.String()


class RepForm(Schema):
    """What a rep says; which fields there are depends on the link."""

    status = fields.String(metadata={"description": "The org's value to set."})
    note = fields.String(validate=validate.Length(max=2000))
    on = fields.String(metadata={"description": "A date, or `other`."})
    other = fields.String(metadata={"description": "The date, where `on` is `other`."})
    mails = fields.String(validate=validate.OneOf(("all", "digest", "none")))
    quiet = fields.String(metadata={"description": "There: no mails at night."})
    quiet_from = fields.String(metadata={"description": "`20:00`"})
    quiet_until = fields.String(metadata={"description": "`07:00`"})
