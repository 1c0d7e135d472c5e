"""What to remember of what was found."""

import re
from collections.abc import Iterator
from typing import Any

from infra.offline_model.findings import Finding, Kind, Reading, is_hedged
from infra.offline_model.prose import capitalised, shortened, slug, topic_words, words
from infra.offline_model.sections import Material, Remembered

Proposed = dict[str, Any]

_SAME_FROM = 0.8
_QUOTED_WORDS = 25
_TOPICS = {
    "meetings": "meeting meetings call calls standup standups sync retro retros interview interviews appointment",
    "reviews": "review reviews reviewer reviewers feedback pull",
    "communication": "slack email emails mail message messages chat ping notification notifications reminders",
    "writing": "summary summaries bullet bullets text texts answer answers docs documentation english german short",
    "working_hours": "morning mornings afternoon afternoons evening evenings hours lunch weekend friday fridays early",
    "code": "python typescript rust code tests test types commits branch branches refactoring",
}
_TOPIC_OF_WORD = {word: topic for topic, members in _TOPICS.items() for word in members.split()}
_SUBJECT = re.compile(
    r"^(?:(?:and|but|so|also),? )?(?:I|we|please)(?:['\u2019](?:m|re|ve)| am| are| have)?\b,?\s+"
    r"(?:(?:now|currently|still|really|also) )*",
    re.IGNORECASE,
)
_VERB = {verb: f"{verb}s" for verb in ("prefer", "like", "love", "hate", "dislike")}
_TEAM = re.compile(r"\b(we|our|us|the team|everyone)\b", re.IGNORECASE)
_SPEAKER = re.compile(r"\b(I|I['\u2019]m|me|my)\b", re.IGNORECASE)
_OF_THE_TEAM = frozenset({Kind.DECISION, Kind.DEFINITION})
_CHANGED = re.compile(r"\b(no longer|instead of|not any ?more|changed|from now on|moved)\b", re.IGNORECASE)
_DEFINED = re.compile(r"^[\"“]?([\w-]{2,30}(?: [\w-]+)?)[\"”]? (?:means|stands|is)\b", re.IGNORECASE)
_LABELS = {
    Kind.PREFERENCE: "preferences",
    Kind.DEFINITION: "glossary",
    Kind.BLOCKER: "blockers",
    Kind.DECISION: "decisions",
    Kind.GOAL: "goals",
    Kind.WORK: "goals",
    Kind.ROUTINE: "working_style",
    Kind.ROLE: "profile",
}
_SIGNAL_WORDS = (
    "agreed always blocked chose decided dislike hate like likes love never prefer prefers settled stuck waiting"
)
_SIGNALS = frozenset(Kind) | frozenset(_SIGNAL_WORDS.split())
_SURE = frozenset({Kind.DECISION, Kind.BLOCKER, Kind.DEFINITION, Kind.PREFERENCE})


def memory_diffs(reading: Reading) -> list[Proposed]:
    """Return a proposal for each finding that lasts and that the memory does not hold yet."""
    seen = [(field.owner, line) for field in reading.material.memory for line in [field.text, *field.text.splitlines()]]
    proposed: list[Proposed] = []
    for each in _candidates(reading):
        line = (each["owner"], each["proposed_value"])
        if not any(owner == line[0] and _says_the_same(line[1], known) for owner, known in seen):
            seen.append(line)
            proposed.append(each)
    return proposed


def _candidates(reading: Reading) -> Iterator[Proposed]:
    material = reading.material
    if material.event.get("type") == "doc.archived":
        return
    for finding in reading.findings:
        owner = _owner(finding, material)
        place = None if owner is None else _place(finding, owner)
        if owner is None or place is None:
            continue
        label, field = place
        yield {
            "owner": owner,
            "block_label": label,
            "field": field,
            "operation": _operation(finding, owner, label, field, material.memory),
            "proposed_value": _restated(finding, material),
            "reasoning": f'{source(material)} says: "{shortened(finding.sentence, _QUOTED_WORDS)}"',
            "confidence": _confidence(finding),
        }


def source(material: Material) -> str:
    """Return what the content is, for a sentence about it."""
    noun = material.event.get("type", "").partition(".")[0]
    return {"checkin": "The check-in", "doc": "The document", "chat": "The chat"}.get(noun, "The text")


def _owner(finding: Finding, material: Material) -> str | None:
    impersonal = finding.kind is Kind.GOAL and _SPEAKER.search(finding.sentence) is None
    about_team = impersonal or finding.kind in _OF_THE_TEAM or _TEAM.search(finding.sentence) is not None
    in_document = material.event.get("type", "").startswith("doc.")
    owner = "project" if in_document or about_team else "user"
    return owner if not material.event or owner in material.event else None


def _place(finding: Finding, owner: str) -> tuple[str, str] | None:
    """Return the block and the field that a finding belongs in, None for what does not last."""
    label = _LABELS.get(finding.kind)
    if label is None:
        return None
    of_the_team = finding.kind is Kind.PREFERENCE and owner == "project"
    return "working_style" if of_the_team else label, _field(finding)


def _field(finding: Finding) -> str:
    match finding.kind:
        case Kind.WORK:
            return "current_focus"
        case Kind.GOAL if finding.dates:
            return "deadlines"
        case Kind.PREFERENCE:
            return _topic_of_preference(finding)
        case Kind.DEFINITION:
            term = _DEFINED.match(finding.sentence)
            return slug(term.group(1)) if term else _topic(finding)
        case Kind.ROLE if ":" in finding.sentence:
            return slug(finding.sentence.partition(":")[0])
    return _topic(finding)


def _topic_of_preference(finding: Finding) -> str:
    known = (_TOPIC_OF_WORD[word] for word in topic_words(finding.sentence) if word in _TOPIC_OF_WORD)
    return next(known, _topic(finding))


def _topic(finding: Finding) -> str:
    about = [word for word in topic_words(finding.sentence) if word not in _SIGNALS]
    return slug(finding.tickets[0] if finding.tickets else "_".join(about[:2]))


def _operation(finding: Finding, owner: str, label: str, field: str, memory: tuple[Remembered, ...]) -> str:
    """Return `replace` only for a field of one line: replacing more would lose what still holds."""
    place = (owner, label, field)
    existing = next((each for each in memory if (each.owner, each.label, each.field) == place), None)
    updates = finding.kind is Kind.WORK or _CHANGED.search(finding.sentence) is not None
    return "replace" if updates and existing is not None and "\n" not in existing.text else "append"


def _restated(finding: Finding, material: Material) -> str:
    """Return the sentence without its speaker: "I prefer mornings" becomes "Prefers mornings"."""
    if finding.kind is Kind.ROLE and material.title:
        return f"{material.title}: {finding.sentence}"
    rest = _SUBJECT.sub("", finding.sentence, count=1)
    first, space, more = rest.partition(" ")
    if rest != finding.sentence and finding.kind is Kind.PREFERENCE:
        first = _VERB.get(first.lower(), first)
    return capitalised(first + space + more)


def _confidence(finding: Finding) -> str:
    if is_hedged(finding.sentence):
        return "low"
    return "high" if finding.kind in _SURE else "medium"


def _says_the_same(text: str, known: str) -> bool:
    mine, theirs = words(text), words(known)
    if " ".join(mine) in " ".join(theirs):
        return True
    both, either = set(mine) & set(theirs), set(mine) | set(theirs)
    return bool(either) and len(both) / len(either) >= _SAME_FROM
