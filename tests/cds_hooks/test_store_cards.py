"""Every test runs on SQLite in memory, on an SQLite file and on a real PostgreSQL."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from cds_hooks.store.audit import Entry, What
from cds_hooks.store.cards import Opinion, Shown
from cds_hooks.store.opening import Store
from cds_hooks.store.tables import audit, cards, feedback, jobs, pages, results, workers
from cds_hooks.store.upkeep import ALIVE_FOR, FORGOTTEN_AFTER
from tests.cds_hooks.conftest import HandClock
from tests.cds_hooks.fakes import make_settings
from tests.cds_hooks.samples import ASKED_AT
from tests.cds_hooks.test_store_jobs import LIMIT, ask, begin, count_of, finish

SETTINGS = make_settings()
ENTRY = Entry(What.HOOK_ANSWERED, "actor", "p", None, "request")


def show(store: Store, job_id: str, token: str = "t" * 32, suggestion: UUID | None = None) -> Shown:
    """Show a card."""
    card = Shown(uuid4(), job_id, "service", "answer", token, suggestion)
    store.cards.show(card, dataclasses.replace(ENTRY, job_id=job_id))
    return card


def test_token_leads_to_its_page(store: Store) -> None:
    """Whoever holds the token finds the job, the card and the patient's mark."""
    card = show(store, finish(store).job_id)
    page = store.cards.page(card.token)

    assert page is not None
    assert (card.job_id, card.card_id, "p") == (page.job_id, page.card_id, page.patient)


def test_token_is_stored_as_a_hash(store: Store) -> None:
    """Who reads the table can open no page."""
    card = show(store, finish(store).job_id)
    with store.database.read() as connection:
        rows = connection.execute(sa.select(pages)).all()

    assert card.token not in str(rows)


@pytest.mark.parametrize("token", ["", "u" * 32, "../x"])
def test_unknown_token_leads_nowhere(store: Store, token: str) -> None:
    """A token that was never given out finds nothing."""
    show(store, finish(store).job_id)

    assert store.cards.page(token) is None


def test_link_expires(store: Store, clock: HandClock) -> None:
    """A link works for the page lifetime, and not a moment longer."""
    card = show(store, finish(store).job_id)
    clock.turn(SETTINGS.page_lifetime - timedelta(seconds=1))
    before = store.cards.page(card.token)
    clock.turn(timedelta(seconds=1))

    assert before is not None
    assert store.cards.page(card.token) is None


def test_card_and_trace_are_written_together(store: Store) -> None:
    """A card that cannot be traced is not remembered either: all or nothing."""
    started = finish(store)
    with pytest.raises(IntegrityError):
        store.cards.show(Shown(uuid4(), "no such job", "service", "answer", "x", None), ENTRY)
    show(store, started.job_id)

    assert tuple(count_of(store, table) for table in (cards, pages, audit)) == (1, 1, 1)


def test_only_shown_cards_of_the_service_are_known(store: Store) -> None:
    """A card is known to the service that showed it, with its suggestion."""
    suggestion = uuid4()
    card = show(store, finish(store).job_id, suggestion=suggestion)

    assert store.cards.known("service", [card.card_id, uuid4()]) == {card.card_id: suggestion}
    assert store.cards.known("another", [card.card_id]) == {}


def test_opinion_is_kept_with_its_comment_sealed(store: Store) -> None:
    """What a user did is kept; the free text, which may name somebody, is encrypted."""
    card = show(store, finish(store).job_id)
    opinion = Opinion(card.card_id, "overridden", ASKED_AT, (), "s", "c", "the mother says …")
    store.cards.add_opinions([opinion], ENTRY)
    with store.database.read() as connection:
        row = connection.execute(sa.select(feedback)).one()

    assert (row.outcome, row.reason_system, row.reason_code, row.acted_at) == ("overridden", "s", "c", ASKED_AT)
    assert store.vault.open(row.comment_sealed).decode() == "the mother says …"


def test_nothing_is_purged_before_its_time(store: Store, clock: HandClock) -> None:
    """While a link works, everything behind it is there."""
    card = show(store, finish(store).job_id)
    clock.turn(SETTINGS.page_lifetime - timedelta(seconds=1))
    store.upkeep.purge()

    assert store.cards.page(card.token) is not None
    assert store.results.picture(card.job_id, "film") is not None


def test_card_of_the_last_moment_keeps_its_evidence(store: Store, clock: HandClock) -> None:
    """A card shown just before its result grows old has its page for the whole lifetime."""
    job_id = finish(store).job_id
    clock.turn(SETTINGS.result_lifetime - timedelta(seconds=1))
    card = show(store, job_id)
    clock.turn(SETTINGS.page_lifetime - timedelta(seconds=1))
    store.upkeep.purge()

    assert store.cards.page(card.token) is not None
    assert store.results.judgement(job_id) is not None


def test_evidence_is_purged_and_the_card_stays_for_feedback(store: Store, clock: HandClock) -> None:
    """After its lifetime all that holds patient data is deleted; that a card was shown is known for longer."""
    card = show(store, finish(store).job_id)
    clock.turn(SETTINGS.page_lifetime + SETTINGS.result_lifetime + LIMIT)
    store.upkeep.purge()

    assert tuple(count_of(store, table) for table in (jobs, results, pages, cards)) == (0, 0, 0, 1)
    assert card.card_id in store.cards.known("service", [card.card_id])


def test_feedback_and_audit_are_purged_in_the_end(store: Store, clock: HandClock) -> None:
    """Nothing is kept for ever."""
    card = show(store, finish(store).job_id)
    store.cards.add_opinions([Opinion(card.card_id, "overridden", ASKED_AT)], ENTRY)
    clock.turn(SETTINGS.audit_retention)
    store.upkeep.purge()

    assert [count_of(store, table) for table in (jobs, results, pages, cards, feedback, audit)] == [0] * 6


def test_lost_job_loses_its_inputs(store: Store, clock: HandClock) -> None:
    """Chart and token of a job whose worker is gone do not lie about until the job expires."""
    begin(store, ask())
    clock.turn(LIMIT)
    store.upkeep.purge()
    with store.database.read() as connection:
        row = connection.execute(sa.select(jobs)).one()

    assert (row.state, row.reason, row.inputs_sealed) == ("failed", "time", None)


def test_worker_is_alive_while_it_says_so(store: Store, clock: HandClock) -> None:
    """A sign of life counts for a while, for its own model only; a worker that leaves is gone at once."""
    store.upkeep.beat("w1", "m", model_ready=True)
    store.upkeep.beat("w2", "other", model_ready=True)
    alive = store.upkeep.living("m")
    clock.turn(ALIVE_FOR)
    store.upkeep.beat("w3", "m", model_ready=False)
    later = store.upkeep.living("m")
    store.upkeep.leave("w3")

    assert (alive, later, store.upkeep.living("m")) == ((True,), (False,), ())


def test_second_sign_of_life_replaces_the_first(store: Store, clock: HandClock) -> None:
    """One row a worker, however long it runs; those long silent are deleted."""
    for _ in range(3):
        store.upkeep.beat("w", "m", model_ready=True)
    rows = count_of(store, workers)
    clock.turn(FORGOTTEN_AFTER)
    store.upkeep.purge()

    assert (rows, count_of(store, workers)) == (1, 0)
