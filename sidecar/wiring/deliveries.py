"""How each kind of follow-up is delivered, and what is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from sidecar.chat.posts import Post
from sidecar.errors import Retryable, Unreadable
from sidecar.jobs import bounces as bounces_job
from sidecar.jobs import (
    chat_posts,
    referrer_letters,
    rep_digests,
    rep_letters,
)
from sidecar.jobs.deliver import (
    campaigns,
    chats,
    emails,
    fields,
    mail_batch,
    stops,
    tasks,
    words,
)
from sidecar.jobs.deliver.word_mails import Mail
from sidecar.logs import log
from sidecar.mail import bounce_mailbox, bounces
from sidecar.mail.bounces import Bounce
from sidecar.mail.letters import Letter
from sidecar.mail.words import Told
from sidecar.referral.follow_up import Chat, Email
from sidecar.salesforce import referrers
from sidecar.salesforce.campaign_members import CampaignMembers
from sidecar.salesforce.record_updates import RecordUpdates
from sidecar.salesforce.records import Rep
from sidecar.salesforce.referrers import Referrer
from sidecar.store import (
    referrer_stops,
)
from sidecar.store.channels import Channel
from sidecar.store.claims import Attempt
from sidecar.store.connections import OrgConnection
from sidecar.wiring.orgs import Orgs
from sidecar.wiring.servers import words_of


@dataclass
class Deliveries(Orgs):
    """What it takes to deliver; mails, and those that come back."""

    def deliver(self, connection_id: int, kind: str) -> int:
        """
        Do what is due for one org, of one kind.

        Raises:
            KeyError: there is no such kind.
        """
        return {
            "task": self._tasks,
            "email": self._emails,
            "chat": self._chats,
            "set_field": self._fields,
            "add_to_campaign": self._campaigns,
            "word": self._words,
            referrer_stops.KIND: self._stops,
        }[kind](connection_id)

    def _tasks(self, connection_id: int) -> int:
        return tasks.deliver_tasks(
            connection_id,
            engine=self.engine,
            keyring=self.keyring,
            tasks=self.records,
            lease=self.lease,
            now=self.now,
        )

    def _emails(self, connection_id: int) -> int:
        return emails.deliver_emails(
            connection_id, desk=self.mail_desk, post=self.mailer.connection
        )

    @property
    def mail_desk(self) -> mail_batch.Desk:
        """What it takes to send mails to reps."""
        return mail_batch.Desk(
            engine=self.engine,
            keyring=self.keyring,
            settler=self.settler,
            reps=self.records,
            write=self.write,
            write_together=self.write_together,
            an_hour=self.settings.mails_an_hour,
            lease=self.lease,
            now=self.now,
        )

    def _chats(self, connection_id: int) -> int:
        return chats.deliver_chats(
            connection_id,
            engine=self.engine,
            keyring=self.keyring,
            webhooks=self.webhooks,
            write=self.write_post,
            lease=self.lease,
            now=self.now,
        )

    def _fields(self, connection_id: int) -> int:
        return fields.deliver_fields(
            connection_id,
            engine=self.engine,
            keyring=self.keyring,
            fields=self.field_values,
            lease=self.lease,
            now=self.now,
        )

    def _campaigns(self, connection_id: int) -> int:
        return campaigns.deliver_campaigns(
            connection_id,
            engine=self.engine,
            keyring=self.keyring,
            members=CampaignMembers(self.sessions),
            lease=self.lease,
            now=self.now,
        )

    def _words(self, connection_id: int) -> int:
        return words.deliver_words(
            connection_id,
            engine=self.engine,
            keyring=self.keyring,
            referrers=partial(referrers.read, self.records),
            reps=self.records,
            post=self.mailer.connection,
            write=self.write_word,
            lease=self.lease,
            now=self.now,
        )

    def _stops(self, connection_id: int) -> int:
        return stops.tell_stops(
            connection_id,
            engine=self.engine,
            updates=RecordUpdates(self.sessions),
            lease=self.lease,
            now=self.now,
        )

    def write(
        self, connection: OrgConnection, attempt: Attempt, email: Email, rep: Rep
    ) -> Letter:
        """Write the letter of a follow-up to the rep who owns the record."""
        self.host(connection.instance_url)
        return rep_letters.letter(
            connection, attempt, email, rep, sender=self.letter_sender, now=self.now()
        )

    def write_together(
        self,
        connection: OrgConnection,
        attempts: Sequence[Attempt],
        key: str,
        rep: Rep,
    ) -> Letter:
        """Write the one letter of several follow-ups to a rep."""
        self.host(connection.instance_url)
        return rep_digests.letter(
            connection,
            attempts,
            key,
            rep,
            sender=self.letter_sender,
            now=self.now(),
        )

    def write_post(
        self, connection: OrgConnection, attempt: Attempt, chat: Chat, channel: Channel
    ) -> Post:
        """Write the post of a follow-up to a channel."""
        self.host(connection.instance_url)
        return chat_posts.post(connection, attempt, chat, channel)

    def write_word(
        self,
        connection: OrgConnection,
        mail: Mail,
        referrer: Referrer,
        owner: Rep | None,
        won: int,
        listed: Sequence[Told],
        /,
    ) -> Letter:
        """Write a mail to a referrer."""
        return referrer_letters.letter(
            connection,
            mail,
            referrer,
            owner,
            won,
            listed,
            sender=self.letter_sender,
            now=self.now(),
        )

    @property
    def letter_sender(self) -> rep_letters.Sender:
        """Who writes, and where the pages behind the buttons are."""
        return rep_letters.Sender(self.sender, self.settings.public_url, self.keyring)

    def take_bounces(
        self, connection_id: int | None, told: Sequence[Bounce]
    ) -> bounces_job.Counted:
        """Act on mails that came back; of one connection, or of any."""
        try:
            return bounces_job.take(
                told,
                engine=self.engine,
                keyring=self.keyring,
                domain=self.letter_sender.domain,
                now=self.now,
                connection_id=connection_id,
            )
        except SQLAlchemyError as exc:
            raise Retryable(f"the database is away: {words_of(exc)}") from exc

    def read_bounces(self) -> int:
        """
        Read what came into the bounce mailbox; how many mails that were.

        Raises:
            WrongSetting: its address cannot be read.
            Retryable, Permanent: it cannot be reached, or lets us not in.
        """

        def take(mail: bytes) -> None:
            try:
                told = bounces.read(mail)
            except Unreadable as exc:
                log().info("bounce.no_report", reason=str(exc))
                return
            self.take_bounces(None, told)

        return bounce_mailbox.read_new(self.bounce_mailbox, take)
