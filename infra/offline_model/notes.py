"""The texts of an answer that are not proposals: coaching, summaries, references, the pulse."""

from collections.abc import Iterator

from infra.offline_model.findings import Kind, Reading, is_quotable
from infra.offline_model.prose import capitalised, dates, links, sentences, shortened, tickets, topic_words
from infra.offline_model.sections import Material, Remembered

_QUOTED_WORDS = 25
_SUMMARY_SENTENCES = 3
_TITLE_WORDS = 8


def coaching(reading: Reading) -> str:
    """Return advice for the day that quotes what the person wrote."""
    blockers, plans = reading.of(Kind.BLOCKER)[:2], reading.of(Kind.PLAN, Kind.WORK)[:1]
    dated = [each for each in reading.findings if each.dates and each not in (*blockers, *plans)][:1]
    advice = [
        *(f'Settle this first: "{_quoted(each.sentence)}".' for each in blockers),
        *(f'Go for this today: "{_quoted(each.sentence)}".' for each in plans),
        *(f'Keep this date in sight: "{_quoted(each.sentence)}".' for each in dated),
    ]
    return (
        " ".join([*advice, *_written_down(reading.material)])
        or "Thank you for checking in; write down one thing to finish today."
    )


def _written_down(material: Material) -> Iterator[str]:
    """Yield what the document that was found first says about the day."""
    asked = {word for text in _prose(material) for word in topic_words(text)}
    for found in material.documents[:1]:
        said = [each for each in sentences(str(found.get("text"))) if is_quotable(each)]
        if said:
            closest = max(said, key=lambda each: len(asked & set(topic_words(each))))
            yield f'"{found.get("title")}" says: "{_quoted(closest)}".'


def summary(reading: Reading) -> str:
    """Return the first sentences of the text, under its title."""
    material = reading.material
    head = f"{material.title}: " if material.title else ""
    text = _prose(material)[:_SUMMARY_SENTENCES]
    if material.event.get("type") == "doc.archived":
        return f"{head}the document was archived. {' '.join(text[:1])}".strip()
    return head + (" ".join(text) or "there is no text to sum up.")


def references(reading: Reading) -> list[dict[str, str]]:
    """Return the tickets, links and dates that the text names, each once."""
    found: dict[str, dict[str, str]] = {}
    for sentence in _prose(reading.material):
        named = {"ticket": tickets(sentence), "link": links(sentence), "date": dates(sentence)}
        for kind, values in named.items():
            for value in values:
                found.setdefault(value, {"kind": kind, "value": value, "context": _quoted(sentence)})
    return list(found.values())


def pulse(reading: Reading) -> str:
    """Return how many things are remembered about current work, and the first of them."""
    goals, blockers = goals_remembered(reading.material), remembered(reading.material, "blockers")
    if not goals:
        return "Nothing is remembered yet about current work."
    counts = f"{_counted(len(goals), 'goal')} and {_counted(len(blockers), 'blocker')} are remembered"
    return f'{counts}; first comes "{_quoted(goals[0])}".'


def focus(reading: Reading) -> list[dict[str, str]]:
    """Return the goals that are remembered, those with a date first."""
    return [
        {"title": _title(line), "reason": f'The memory says: "{line}"'} for line in goals_remembered(reading.material)
    ]


def risks(reading: Reading) -> list[dict[str, str]]:
    """Return the blockers that are remembered; one with a date is worse."""
    return [
        {
            "title": _title(line),
            "reason": f'The memory says: "{line}"',
            "severity": "high" if dates(line) else "medium",
        }
        for line in remembered(reading.material, "blockers")
    ]


def gist(reading: Reading) -> Iterator[str]:
    """Yield the sentences that any other text of an answer may repeat."""
    yield from _prose(reading.material)
    yield from (line for each in reading.material.memory for line in _lines(each))


def _prose(material: Material) -> list[str]:
    return [
        sentence
        for passage in material.passages
        if passage.place != "title"
        for sentence in sentences(passage.text)
        if is_quotable(sentence)
    ]


def remembered(material: Material, label: str) -> list[str]:
    """Return the lines of the blocks with this label."""
    return [line for each in material.memory if each.label == label for line in _lines(each)]


def goals_remembered(material: Material) -> list[str]:
    """Return the goals of the memory, those with a date first."""
    return sorted(remembered(material, "goals"), key=lambda line: not dates(line))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _title(line: str) -> str:
    return capitalised(shortened(line, _TITLE_WORDS)).rstrip(".")


def _lines(remembered: Remembered) -> list[str]:
    return [line for line in remembered.text.splitlines() if line.strip()]


def _quoted(sentence: str) -> str:
    return shortened(sentence, _QUOTED_WORDS).rstrip(".")
