"""What a scan comes to."""

from contracts.effects import Confidence
from services.runner.agents.ticket_scan.findings import Figures, Judgement, Verdict, judged_pairs, output_of
from shared.catalog.ticket_conflict_scanner import agent
from shared.domain.effect import effects_of
from shared.domain.effects.basis import Basis
from shared.domain.ticket import PairKey, age
from tests.unit.services.runner.agents.ticket_scan.given import a_ticket, tickets_of

TICKETS = tickets_of(1, 2, 3, 10)


def judged(pair: PairKey, verdict: Verdict, confidence: Confidence = Confidence.HIGH) -> Judgement:
    return Judgement(pair, verdict, f"{pair[0]} and {pair[1]}.", confidence)


def test_duplicates_of_duplicates_are_one_group_and_the_oldest_stays() -> None:
    found = [
        judged(("T-10", "T-2"), Verdict.DUPLICATE),
        judged(("T-1", "T-10"), Verdict.DUPLICATE, Confidence.LOW),
        judged(("T-2", "T-3"), Verdict.NEITHER),
    ]

    (entry,) = output_of(found, TICKETS, Figures(), is_nightly=False)["duplicates"]

    assert (entry["ticket_ids"], entry["keep"]) == (["T-1", "T-2", "T-10"], "T-1")
    assert entry["confidence"] == "low"
    assert entry["reasoning"] == "T-10 and T-2. T-1 and T-10."
    assert [each["id"] for each in entry["evidence"]] == ["event-1", "event-2", "event-10"]


def test_a_long_chain_of_duplicates_is_told_pair_by_pair() -> None:
    chain = [judged((f"T-{number}", f"T-{number + 1}"), Verdict.DUPLICATE) for number in range(1, 6)]

    found = output_of(chain, tickets_of(1, 2, 3, 4, 5, 6), Figures(), is_nightly=False)["duplicates"]

    assert [each["ticket_ids"] for each in found] == [[f"T-{number}", f"T-{number + 1}"] for number in range(1, 6)]


def test_output_becomes_proposals_of_its_kinds() -> None:
    found = [judged(("T-1", "T-2"), Verdict.DUPLICATE), judged(("T-2", "T-3"), Verdict.CONFLICT)]
    output = output_of(found, TICKETS, Figures(), is_nightly=True)

    effects = effects_of(output, agent(2).effects, Basis({}, session_id="apollo:2026-11-20"))

    assert [(each["kind"], each["dropped"]) for each in effects] == [
        ("duplicate", None),
        ("conflict", None),
        ("session_update", None),
    ]
    assert effects[1]["change"] == {"ticket_ids": ["T-2", "T-3"], "explanation": "T-2 and T-3."}
    assert effects[2]["change"]["session_id"] == "apollo:2026-11-20"
    assert effects[2]["change"]["items"] == ["Duplicates: T-1, T-2", "Conflict: T-2, T-3"]
    assert len(effects[0]["evidence"]) == 2


def test_summary_says_what_was_compared_found_known_and_left() -> None:
    figures = Figures(tickets=9, changed=4, known=3, compared=2, left=1, model_calls=1)
    output = output_of([judged(("T-1", "T-2"), Verdict.NEITHER)], TICKETS, figures, is_nightly=False)

    assert output["summary"] == (
        "9 open tickets, 4 of them new or changed. 2 likely pairs were compared in 1 calls: 0 groups of duplicates and"
        " 0 conflicts. 3 pairs were judged before and have not changed. 1 pairs are left for the next scan."
    )
    assert "session_updates" not in output


def test_what_is_remembered_are_the_texts_that_were_judged() -> None:
    (pair,) = judged_pairs([judged(("T-1", "T-2"), Verdict.NEITHER)], TICKETS)

    assert pair.hashes == (TICKETS["T-1"].text_hash, TICKETS["T-2"].text_hash)
    assert a_ticket(1, "Export as CSV").text_hash != pair.hashes[0]


def test_tickets_of_one_moment_are_as_old_as_people_count_them() -> None:
    nine, ten = a_ticket(9), a_ticket(10)

    assert age(nine) < age(ten)
    assert age(nine)[1] < age(ten)[1]
