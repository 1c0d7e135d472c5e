"""Answers to a question about a user: what the history says of the kind that the question's words ask for."""

from collections.abc import Iterator

from infra.offline_model.findings import Finding, Kind, Reading, is_hedged
from infra.offline_model.prose import capitalised, shortened, topic_words, words

_MOST_SENTENCES = 3
_QUOTED_WORDS = 25
_ASKED_BY = {
    Kind.BLOCKER: "block blocked blocker blockers blocking stuck obstacle obstacles waiting keeps hinders",
    Kind.PREFERENCE: "prefer prefers preference preferences like likes style approach strategy wants",
    Kind.GOAL: "goal goals aim aims deadline deadlines want achieve",
    Kind.PLAN: "plan plans next progress",
    Kind.DONE: "done finished progress progression achieved",
    Kind.DECISION: "decide decided decision decisions",
}


def insight(reading: Reading) -> str:
    """Return up to three sentences of the history that answer the question and are not remembered yet, else nothing."""
    return " ".join(capitalised(each.sentence) for each in _answering(reading))


def confidence(reading: Reading) -> str:
    """Return how sure the sentences sound."""
    found = _answering(reading)
    if not found:
        return "low"
    return "medium" if any(is_hedged(each.sentence) for each in found) else "high"


def reasoning(reading: Reading) -> str:
    """Return where the answer comes from, with its first sentence."""
    found = _answering(reading)
    if not found:
        return "The history says nothing new about it."
    return f'The history says: "{shortened(found[0].sentence, _QUOTED_WORDS)}"'


def merged_text(reading: Reading) -> str:
    """Return the current text with the insight as a line below it, unless it stands there already."""
    current, new = reading.material.current_text.strip(), reading.material.insight.strip()
    return current if new.lower() in current.lower() else f"{current}\n{new}"


def _answering(reading: Reading) -> list[Finding]:
    known = " ".join(words(" ".join(each.text for each in reading.material.memory)))
    new = [each for each in reading.findings if " ".join(words(each.sentence)) not in known]
    asked = set(words(reading.material.question))
    kinds = {kind for kind, named in _ASKED_BY.items() if asked & set(named.split())}
    return (list(_about(new, kinds, asked)) or ([] if kinds else new))[:_MOST_SENTENCES]


def _about(findings: list[Finding], kinds: set[Kind], asked: set[str]) -> Iterator[Finding]:
    for each in findings:
        if each.kind in kinds or (not kinds and asked & set(topic_words(each.sentence))):
            yield each
