"""The tables, as the migrations leave them.

Every unit of work is a row with ``state``, ``attempts`` and ``due_at``:

    waiting    to be done from ``due_at`` on
    sending    being done by somebody whose lease ends at ``due_at``
    asking     waits for a person's answer; deployments only
    done       has happened
    dead       given up on, with the reason in ``error``
    uncertain  may or may not have happened; a person decides
    cancelled  nobody wants it any more; follow-ups, response clocks and reports
    paused     rests, until ``due_at`` where that is known; response clocks only
    spent      all is told and nobody answered; response clocks only

Columns named ``sealed`` or ``*_sealed`` hold text sealed by the key ring; in a row
that names a person, with that person's own key, which the ring has sealed. An empty
text is what is left of something that was erased.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Time,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    }
)


def _moment(name: str, *, nullable: bool = False) -> Column[object]:
    default = None if nullable else text("clock_timestamp()")
    return Column(
        name, DateTime(timezone=True), nullable=nullable, server_default=default
    )


def _id() -> Column[int]:
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


def _of_referrers(table: str) -> Index:
    return Index(
        f"{table}_referrer_id_idx",
        "referrer_id",
        postgresql_where=text("referrer_id IS NOT NULL"),
    )


connection = Table(
    "connection",
    metadata,
    _id(),
    Column("org_id", Text, nullable=False),  # 18 characters
    Column("name", Text, nullable=False, unique=True),
    Column("hook_key_hash", Text, nullable=False, unique=True),
    Column("hook_key_sealed", Text),  # the installer writes it into the org
    Column("old_hook_key_hash", Text, unique=True),  # taken as well, until ended
    _moment("old_hook_key_used_at", nullable=True),
    Column("flow", Text, nullable=False),  # jwt | client_credentials | refresh_token
    Column("login_url", Text, nullable=False),
    Column("instance_url", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("username", Text, nullable=False, server_default=""),
    Column("secret_sealed", Text, nullable=False),
    Column("client_secret_sealed", Text),  # of the app, beside a refresh token
    Column("access_token_sealed", Text),
    Column("time_zone", Text, nullable=False, server_default="UTC"),
    Column("fallback_owner_id", Text),
    Column("integration_user_id", Text),  # as whom we write; learnt at login
    Column("status_map", JSONB, nullable=False, server_default="{}"),
    Column("playbook", Text),  # YAML; NULL means the package's own
    Column("calendar", Text),  # YAML; NULL means office hours in time_zone
    Column("field_lists", JSONB, nullable=False, server_default="{}"),
    _moment("paused_until", nullable=True),
    Column("pause_reason", Text),
    _moment("task_lane_until", nullable=True),
    _moment("mail_lane_until", nullable=True),
    _moment("word_lane_until", nullable=True),
    _moment("created_at"),
)

event = Table(
    "event",
    metadata,
    _id(),
    # No foreign key: each insert would lock the connection's one row, and all that
    # insert at once would queue for it (docs/performance.md).
    Column("connection_id", BigInteger, nullable=False),
    Column("org_id", Text(collation="C"), nullable=False),
    Column("source", Text(collation="C"), nullable=False),
    Column("notification_id", Text(collation="C"), nullable=False),
    Column("action_id", Text),
    Column("object_type", Text),
    Column("record_id", Text(collation="C")),
    Column("sealed", Text, nullable=False),  # JSON: {"fields": {...}, "absent": [...]}
    _moment("received_at"),
    Column("state", Text, nullable=False),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    _moment("due_at"),
    Column("outcome", Text),
    Column("error", Text),
    _moment("emptied_at", nullable=True),  # what it said of people is gone
    UniqueConstraint("org_id", "source", "notification_id"),
    Index("event_waiting_idx", "due_at", postgresql_where=text("state = 'waiting'")),
    Index("event_dead_idx", "id", postgresql_where=text("state = 'dead'")),
    Index("event_record_id_idx", "record_id", "org_id"),
    # None of a row that waits: a door's insert does not touch it.
    Index(
        "event_full_idx",
        "received_at",
        postgresql_where=text("emptied_at IS NULL AND state <> 'waiting'"),
    ),
)

quarantine = Table(
    "quarantine",
    metadata,
    _id(),
    Column("connection_id", ForeignKey("connection.id"), nullable=False),
    Column("kind", Text, nullable=False),  # wrong_org | unreadable | too_long
    Column("reason", Text, nullable=False),
    Column("org_id", Text),
    Column("action_id", Text),
    Column("notification_ids", ARRAY(Text), nullable=False, server_default="{}"),
    Column("digest", Text, nullable=False),  # SHA-256 of the body
    Column("sealed", Text, nullable=False),  # the body, sessions and secrets blackened
    Column("peer", Text),
    Column("seen", Integer, nullable=False, server_default="1"),
    _moment("first_seen_at"),
    _moment("last_seen_at"),
    UniqueConstraint("connection_id", "digest"),
)

secret = Table(
    "secret",
    metadata,
    Column("name", Text, primary_key=True),  # see store.persons
    Column("sealed", Text, nullable=False),
)

person = Table(
    "person",
    metadata,
    _id(),
    Column("org_id", Text(collation="C"), nullable=False),
    Column("key_sealed", Text),  # of what is kept about them; gone with them
    _moment("created_at"),
    _moment("erased_at", nullable=True),
    CheckConstraint(
        "(key_sealed IS NULL) = (erased_at IS NOT NULL)", name="person_key_check"
    ),
)

person_trait = Table(
    "person_trait",
    metadata,
    Column("org_id", Text(collation="C"), primary_key=True),
    Column("kind", Text(collation="C"), primary_key=True),  # email | record
    Column("digest", LargeBinary, primary_key=True),  # HMAC; see store.persons
    Column("person_id", ForeignKey("person.id"), primary_key=True, index=True),
)

referral = Table(
    "referral",
    metadata,
    Column("org_id", Text(collation="C"), primary_key=True),
    Column("key", Text(collation="C"), primary_key=True),
    Column("object_type", Text, nullable=False),
    Column("record_id", Text(collation="C"), nullable=False),
    Column("status", Text),
    Column("milestone", Text),
    Column("owner_id", Text),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("person_id", ForeignKey("person.id"), index=True),  # who was referred
    Column("referrer_id", ForeignKey("person.id")),  # by whom, where that is known
    Column("sealed", Text, nullable=False),  # JSON: what is known of the people
    _moment("created_at"),
    _moment("updated_at"),
    _of_referrers("referral"),
)

follow_up = Table(
    "follow_up",
    metadata,
    _id(),
    Column("connection_id", ForeignKey("connection.id"), nullable=False),
    Column("org_id", Text(collation="C"), nullable=False),
    Column("referral_key", Text(collation="C"), nullable=False),
    Column("milestone", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("key", Text(collation="C"), nullable=False, unique=True),
    Column("kind", Text, nullable=False),  # see referral.follow_up.KINDS
    Column("record_id", Text, nullable=False),
    Column("event_id", BigInteger, nullable=False),
    Column("playbook_version", Text, nullable=False),
    Column("resend", Boolean, nullable=False),
    # A rep, a channel, a field, a referrer: see follow_ups.
    Column("recipient_id", Text(collation="C")),
    Column("held", Text),  # quiet | digest: why it waits for others
    Column("digest_key", Text(collation="C")),  # the one mail that it is a part of
    Column("sent_to", LargeBinary),  # HMAC of the address; see store.persons
    Column("person_id", ForeignKey("person.id"), index=True),  # whom it is about
    Column("referrer_id", ForeignKey("person.id")),  # whom it names beside them
    Column("sealed", Text, nullable=False),  # JSON: the task or the letter's values
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    _moment("due_at"),
    Column("receipt", Text),  # the task's id; what the mail server answered
    Column("error", Text),
    _moment("created_at"),
    _moment("settled_at", nullable=True),
    UniqueConstraint("org_id", "referral_key", "milestone", "action"),
    Index(
        "follow_up_recipient_idx",
        "connection_id",
        "recipient_id",
        "settled_at",
        postgresql_where=text("kind = 'email'"),
    ),
    # What goes before other mails to the same rep about the same referral.
    Index(
        "follow_up_before_idx",
        "recipient_id",
        "referral_key",
        postgresql_where=text(
            "kind = 'email' AND "
            "(state = 'sending' OR state = 'waiting' AND error IS NOT NULL)"
        ),
    ),
    Index(
        "follow_up_digest_key_idx",
        "digest_key",
        postgresql_where=text("digest_key IS NOT NULL"),
    ),
    Index(
        "follow_up_sent_to_idx",
        "sent_to",
        postgresql_where=text("sent_to IS NOT NULL"),
    ),
    Index(
        "follow_up_word_idx",
        "connection_id",
        "recipient_id",
        "settled_at",
        postgresql_where=text("kind = 'word'"),
    ),
    Index(
        "follow_up_open_idx",
        "connection_id",
        "kind",
        "due_at",
        postgresql_where=text("state in ('waiting', 'sending')"),
    ),
    Index(
        "follow_up_full_idx",
        "settled_at",
        postgresql_where=text("sealed <> '' AND settled_at IS NOT NULL"),
    ),
    _of_referrers("follow_up"),
)

response_clock = Table(
    "response_clock",
    metadata,
    _id(),
    Column("connection_id", ForeignKey("connection.id"), nullable=False),
    Column("org_id", Text(collation="C"), nullable=False),
    Column("referral_key", Text(collation="C"), nullable=False),
    Column("kind", Text, nullable=False),  # promise | action
    Column("name", Text, nullable=False),
    Column("milestone", Text, nullable=False),
    Column("event_id", BigInteger, nullable=False),  # because of which it started
    Column("playbook_version", Text, nullable=False),  # that started it
    Column("owner_id", Text),
    Column("team", Text, nullable=False, server_default=""),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("marks", JSONB, nullable=False),  # [stage, seconds or moment]
    Column("used", Interval, nullable=False),  # working time before "since"
    _moment("since", nullable=True),  # NULL: it rests
    _moment("until", nullable=True),  # of a pause
    Column("rests_at", Text),  # the status because of which it rests
    Column("told", ARRAY(Text), nullable=False, server_default="{}"),
    Column("state", Text, nullable=False, server_default="waiting"),
    _moment("due_at", nullable=True),  # when to look at it; NULL: nobody needs to
    _moment("promised_at", nullable=True),  # by when somebody must have answered
    _moment("settled_at", nullable=True),
    # What the record is told of it.
    _moment("written", nullable=True),
    _moment("write_due_at", nullable=True),  # NULL: nothing to write
    Column("write_attempts", SmallInteger, nullable=False, server_default="0"),
    Column("write_error", Text),
    UniqueConstraint("org_id", "referral_key", "kind", "name", "milestone"),
    Index(
        "response_clock_due_idx",
        "connection_id",
        "due_at",
        postgresql_where=text("state in ('waiting', 'paused')"),
    ),
    Index(
        "response_clock_write_idx",
        "connection_id",
        "write_due_at",
        postgresql_where=text("write_due_at IS NOT NULL"),
    ),
)

response_clock_note = Table(
    "response_clock_note",
    metadata,
    _id(),
    Column("clock_id", ForeignKey("response_clock.id"), nullable=False, index=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("what", Text, nullable=False),  # started | handed_over | told | ...
    Column("stage", Text),  # of what is told or passed over
    Column("details", Text, nullable=False, server_default=""),
    # Each stage comes once.
    Index(
        "response_clock_stage_idx",
        "clock_id",
        "stage",
        unique=True,
        postgresql_where=text("stage IS NOT NULL"),
    ),
)

colleague = Table(
    "colleague",
    metadata,
    Column("connection_id", ForeignKey("connection.id"), primary_key=True),
    Column("user_id", Text(collation="C"), primary_key=True),
    Column("role", Text, nullable=False, server_default=""),
    Column("manager_id", Text),
    Column("active", Boolean, nullable=False),
    Column("read_at", DateTime(timezone=True), nullable=False),
)

playbook_version = Table(
    "playbook_version",
    metadata,
    Column("connection_id", ForeignKey("connection.id"), primary_key=True),
    Column("version", Text, primary_key=True),
    Column("text", Text, nullable=False),  # YAML
    Column("set_at", DateTime(timezone=True), nullable=False),
)

chat_channel = Table(
    "chat_channel",
    metadata,
    Column("connection_id", ForeignKey("connection.id"), primary_key=True),
    Column("name", Text(collation="C"), primary_key=True),
    Column("kind", Text, nullable=False),  # slack | teams
    Column("language", Text, nullable=False),  # of what stands beside the text
    Column("url_sealed", Text, nullable=False),  # whoever knows it may post
    Column("created_at", DateTime(timezone=True), nullable=False),
)

mail_link = Table(
    "mail_link",
    metadata,
    Column("digest", Text(collation="C"), primary_key=True),  # see mail.links
    # No foreign keys: a link may outlive what it was about.
    Column("connection_id", BigInteger, nullable=False),
    Column("follow_up_id", BigInteger, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("used_at", DateTime(timezone=True), nullable=False),
    Column("done_at", DateTime(timezone=True)),  # NULL: somebody is at it
    Column("expires_at", DateTime(timezone=True), nullable=False, index=True),
)

mail_preference = Table(
    "mail_preference",
    metadata,
    Column("connection_id", ForeignKey("connection.id"), primary_key=True),
    Column("user_id", Text(collation="C"), primary_key=True),
    Column("mails", Text, nullable=False),  # all | digest | none
    Column("quiet_from", Time),  # by the rep's own clock; both or none
    Column("quiet_until", Time),
    Column("changed_at", DateTime(timezone=True), nullable=False),
)

mail_suppression = Table(
    "mail_suppression",
    metadata,
    _id(),
    Column("address_sealed", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
)

report_schedule = Table(
    "report_schedule",
    metadata,
    _id(),
    Column("connection_id", ForeignKey("connection.id"), nullable=False),
    Column("report", Text, nullable=False),
    Column("cron", Text, nullable=False),  # by the connection's time zone
    Column("recipients_sealed", Text),  # JSON: user ids, addresses; NULL: see reports
    Column("language", Text, nullable=False, server_default="en_US"),
    Column("runs_at", DateTime(timezone=True), nullable=False),  # what it is due for
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("failures", SmallInteger, nullable=False, server_default="0"),
    _moment("due_at"),
    _moment("ran_for", nullable=True),
    Column("outcome", Text),  # of that run, for people
    Column("error", Text),
    _moment("created_at"),
    UniqueConstraint("connection_id", "report"),
)

report_mail = Table(
    "report_mail",
    metadata,
    _id(),
    Column("connection_id", ForeignKey("connection.id"), nullable=False),
    Column("report", Text, nullable=False),
    Column("key", Text(collation="C"), nullable=False, unique=True),
    Column("language", Text, nullable=False),
    Column("person_id", ForeignKey("person.id"), index=True),  # whom it is sealed for
    Column("to_sealed", Text, nullable=False),  # a user's id, or an address
    Column("sealed", Text, nullable=False),  # JSON: what it says
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    _moment("due_at"),
    Column("receipt", Text),  # what the mail server answered
    Column("error", Text),
    _moment("created_at"),
    _moment("settled_at", nullable=True),
    Index(
        "report_mail_open_idx",
        "connection_id",
        "due_at",
        postgresql_where=text("state in ('waiting', 'sending')"),
    ),
    Index(
        "report_mail_full_idx",
        "settled_at",
        postgresql_where=text("sealed <> '' AND settled_at IS NOT NULL"),
    ),
)

referrer_stop = Table(
    "referrer_stop",
    metadata,
    _id(),
    Column("connection_id", ForeignKey("connection.id"), nullable=False),
    Column("referrer_id", Text(collation="C"), nullable=False),  # in Salesforce
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    _moment("due_at"),
    Column("error", Text),
    _moment("created_at"),
    # Until Salesforce knows of it, it holds here.
    Index(
        "referrer_stop_holds_idx",
        "connection_id",
        "referrer_id",
        unique=True,
        postgresql_where=text("state <> 'done'"),
    ),
)

recognition = Table(
    "recognition",
    metadata,
    Column("org_id", Text(collation="C"), primary_key=True),
    Column("referrer_id", Text(collation="C"), primary_key=True),  # in Salesforce
    Column("mark", SmallInteger, primary_key=True),  # won referrals
    Column("follow_up_id", BigInteger, nullable=False),  # whose mail says so
)

deployment = Table(
    "deployment",
    metadata,
    _id(),
    Column("connection_id", ForeignKey("connection.id"), nullable=False),
    Column("org_id", Text(collation="C"), nullable=False),
    Column(
        "kind", Text, nullable=False
    ),  # plan | install | verify | rollback | uninstall
    Column("modules", ARRAY(Text), nullable=False),
    Column("options", JSONB, nullable=False),
    Column("undoes", ForeignKey("deployment.id")),
    Column("requested_by", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("failures", SmallInteger, nullable=False, server_default="0"),
    _moment("due_at"),
    Column("question", Text),  # token | yes | export; only while asking
    Column("error", Text),
    Column("async_id", Text),  # of what the org is at for us, in this stage
    Column("admin_sealed", Text),  # JSON; gone as soon as it is over
    Column("progress", JSONB, nullable=False, server_default="{}"),
    Column("facts", JSONB, nullable=False, server_default="{}"),
    Column("findings", JSONB, nullable=False, server_default="[]"),
    Column("plan", JSONB, nullable=False, server_default="{}"),
    Column("fingerprint", Text),  # of the plan
    Column("evidence", JSONB, nullable=False, server_default="{}"),
    Column("report", JSONB),
    _moment("cancel_asked_at", nullable=True),
    _moment("created_at"),
    _moment("settled_at", nullable=True),
    # Two at once would plan against what the other is changing.
    Index(
        "deployment_one_open_idx",
        "connection_id",
        unique=True,
        postgresql_where=text("state in ('waiting', 'sending', 'asking')"),
    ),
)

deployment_files = Table(
    "deployment_files",
    metadata,
    Column("deployment_id", ForeignKey("deployment.id"), primary_key=True),
    Column("name", Text, primary_key=True),  # org | before | archive | ...
    Column("sealed", Text, nullable=False),  # a zip in base64: it holds addresses
)

installed = Table(
    "installed",
    metadata,
    Column("connection_id", ForeignKey("connection.id"), primary_key=True),
    Column("modules", ARRAY(Text), nullable=False),
    Column("version", Text, nullable=False),
    Column("deployment_id", ForeignKey("deployment.id"), nullable=False),
    Column("sealed", Text, nullable=False),  # files, as deployment_files has them
    Column("before_sealed", Text, nullable=False),  # before the first install
    _moment("installed_at"),
)

webhook_secret = Table(
    "webhook_secret",
    metadata,
    _id(),
    Column("connection_id", ForeignKey("connection.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),  # which scheme; see store.webhook_secrets
    Column("name", Text, nullable=False, server_default=""),  # for people
    Column("sealed", Text, nullable=False),  # what verifies; of a token its hash
    Column("header", Text),  # where the sender puts it, for kinds that leave it open
    _moment("not_after", nullable=True),  # a certificate's end
    _moment("created_at"),
    _moment("retires_at", nullable=True),  # taken until then; NULL: no end
    _moment("last_used_at", nullable=True),
)

webhook_delivery = Table(
    "webhook_delivery",
    metadata,
    # No foreign key, as with events.
    Column("connection_id", BigInteger, primary_key=True, autoincrement=False),
    Column("message_id", Text(collation="C"), primary_key=True),  # the sender's
    Column("received_at", DateTime(timezone=True), nullable=False, index=True),
)

client_certificate = Table(
    "client_certificate",
    metadata,
    Column("connection_id", ForeignKey("connection.id"), primary_key=True),
    Column("fingerprint", Text(collation="C"), primary_key=True),  # SHA-256
    Column("subject", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("not_after", DateTime(timezone=True), nullable=False),
    Column("first_seen_at", DateTime(timezone=True), nullable=False),
    Column("last_seen_at", DateTime(timezone=True), nullable=False),
)

stream_position = Table(
    "stream_position",
    metadata,
    Column("connection_id", ForeignKey("connection.id"), primary_key=True),
    Column("topic", Text, primary_key=True),  # /event/..., /data/...
    Column("replay_id", LargeBinary, nullable=False),  # opaque: never computed with
    Column("updated_at", DateTime(timezone=True), nullable=False),
)

authorization = Table(
    "authorization",
    metadata,
    _id(),
    Column("ticket_hash", Text, nullable=False, unique=True),
    Column("state_hash", Text, nullable=False, unique=True),
    Column("sealed", Text, nullable=False),  # JSON: store.authorizations.Pending
    Column("expires_at", DateTime(timezone=True), nullable=False),
)

audit = Table(
    "audit",
    metadata,
    _id(),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("details", JSONB, nullable=False),
    Column("hash", Text, nullable=False),  # over the entry and the hash before it
)

reconciliation = Table(
    "reconciliation",
    metadata,
    _id(),
    Column("connection_id", ForeignKey("connection.id"), nullable=False),
    Column("kind", Text, nullable=False),  # regular | since | resync
    # What this run reads: records changed from then on.
    Column("since", DateTime(timezone=True), nullable=False),
    # What the org tells of earlier changes is none of our business.
    Column("covers_from", DateTime(timezone=True), nullable=False),
    _moment("began_at", nullable=True),  # of the run; NULL between runs
    Column("todo", JSONB, nullable=False, server_default="{}"),  # object -> last row
    Column("objects", JSONB, nullable=False, server_default="{}"),  # what it has
    _moment("looked_at", nullable=True),  # when that was looked up
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("failures", SmallInteger, nullable=False, server_default="0"),
    _moment("due_at"),
    Column("error", Text),
    Column("calls", Integer, nullable=False, server_default="0"),
    Column("records", BigInteger, nullable=False, server_default="0"),
    Column("recovered", Integer, nullable=False, server_default="0"),
    _moment("created_at"),
    _moment("done_at", nullable=True),  # when a run last came to its end
    # The regular one never ends; of the others, one at a time.
    Index(
        "reconciliation_regular_idx",
        "connection_id",
        unique=True,
        postgresql_where=text("kind = 'regular'"),
    ),
    Index(
        "reconciliation_one_open_idx",
        "connection_id",
        unique=True,
        postgresql_where=text("kind <> 'regular' and state in ('waiting', 'sending')"),
    ),
)

reached = Table(
    "reached",
    metadata,
    Column("org_id", Text(collation="C"), primary_key=True),
    Column("referral_key", Text(collation="C"), primary_key=True),
    Column("status", Text, primary_key=True),
    Column("connection_id", BigInteger, nullable=False),
    Column("object_type", Text, nullable=False),
    Column("record_id", Text(collation="C"), nullable=False),
    Column("reached_at", DateTime(timezone=True), nullable=False),
    Column("source", Text),  # of the event that told first; NULL: none did yet
    Column("event_id", BigInteger),  # that event; or the one that is to tell
    Column("heard_at", DateTime(timezone=True)),
    Column("confirmed_at", DateTime(timezone=True)),  # by the org's own records
    Index(None, "connection_id", "reached_at"),
)

completeness = Table(
    "completeness",
    metadata,
    Column("connection_id", ForeignKey("connection.id"), primary_key=True),
    Column("day", Date, primary_key=True),  # in UTC
    Column("expected", Integer, nullable=False),
    Column("received", Integer, nullable=False),
    Column("recovered", Integer, nullable=False),
    Column("in_hand", Integer, nullable=False),
    Column("unexplained", Integer, nullable=False),
    Column("counted_at", DateTime(timezone=True), nullable=False),
)
