"""The tables. Columns that hold patient data end in `_sealed` and are encrypted before they get here."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
)
from sqlalchemy.engine import Dialect

metadata = MetaData()


class Moment(TypeDecorator[datetime]):
    """A point in time: always aware and in UTC in Python, also on SQLite, which stores no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store in UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Read as UTC."""
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


jobs = Table(
    "jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    # One live job for each set of inputs: this constraint is what keeps two replicas from starting it twice.
    # Cleared when the result is too old to answer again, so that a new job can take the place.
    Column("fingerprint", String(64), unique=True),
    Column("patient", String(64), nullable=False),  # keyed hash
    Column("state", String(16), nullable=False),
    Column("reason", String(16)),
    Column("attempt", Integer, nullable=False),
    Column("inputs_sealed", LargeBinary),  # cleared as soon as the job ends: it holds the access token
    Column("lost_at", Moment, nullable=False),
    Column("reusable_s", Integer, nullable=False),
    Column("fresh_until", Moment),
    Column("expires_at", Moment, nullable=False, index=True),
)

results = Table(
    "results",
    metadata,
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("computed_at", Moment, nullable=False),
    Column("judgement_sealed", LargeBinary, nullable=False),
    # Apart from the rest: the hook path needs no pixels, and they are most of the bytes.
    Column("film_sealed", LargeBinary),
    Column("heat_sealed", LargeBinary),
    Column("prior_sealed", LargeBinary),
)

# The second tier of a result; a result without a row here has none.
checks = Table(
    "checks",
    metadata,
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("attempt", Integer, nullable=False),  # times that a worker has begun it
    Column("inputs_sealed", LargeBinary),  # cleared as soon as the check has ended for good
    Column("tested_sealed", LargeBinary),
    Column("heat_sealed", LargeBinary),
    Column("lost_at", Moment, nullable=False, index=True),
)

# No patient data: it outlives job and page, so that late feedback still finds its card.
cards = Table(
    "cards",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("job_id", String(32), nullable=False),
    Column("service", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("suggestion", String(32)),
    Column("shown_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
)

pages = Table(
    "pages",
    metadata,
    Column("token", String(64), primary_key=True),  # keyed hash; the token itself is in the card only
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("card_id", String(32), nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("card_id", ForeignKey("cards.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("outcome", String(16), nullable=False),
    Column("suggestions", String(400)),  # uuids that were accepted, separated by spaces
    Column("reason_system", String(200)),
    Column("reason_code", String(100)),
    Column("comment_sealed", LargeBinary),
    Column("acted_at", Moment, nullable=False),
    Column("received_at", Moment, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False, index=True),
    Column("action", String(32), nullable=False),
    Column("actor", String(64)),  # keyed hash
    Column("patient", String(64)),  # keyed hash
    Column("job_id", String(32)),
    Column("request_id", String(64)),
    Column("card_id", String(32)),
    Column("shown", String(16)),  # what an opened page showed
)

workers = Table(
    "workers",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("seen_at", Moment, nullable=False),
    Column("model_ready", Boolean, nullable=False),
    Column("model", String(64), nullable=False),
)

# How far a server has been searched for news, and by which process. No patient data.
watches = Table(
    "watches",
    metadata,
    Column("id", String(64), primary_key=True),  # keyed hash of server and interest
    Column("since", Moment, nullable=False),
    Column("seen_sealed", LargeBinary),  # keyed hashes of the versions that the next look will meet again
    Column("events", BigInteger),  # number of the last event that a Subscription told of
    Column("failures", Integer, nullable=False),
    Column("next_at", Moment, nullable=False),
    Column("holder", String(32)),
    Column("held_until", Moment),
)

# Patients whose case is to be computed ahead, or kept fresh.
ahead = Table(
    "ahead",
    metadata,
    Column("patient", String(64), primary_key=True),  # keyed hash
    Column("whose_sealed", LargeBinary, nullable=False),  # server and id
    Column("first_at", Moment),  # of the news that have not been seen to; none while the case is kept fresh
    Column("due_at", Moment, nullable=False, index=True),
    Column("attempt", Integer, nullable=False),
    Column("fresh_to", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
)

Index("ix_audit_patient", audit.c.patient)
