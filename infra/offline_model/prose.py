"""Looking at prose: sentences, and the tickets, dates, links and words in them."""

import re
import unicodedata
from collections.abc import Iterator

LONGEST_SENTENCE = 400

_LINE_MARK = re.compile(r"^\s*(?:[-*•+]|\d{1,3}[.)]|>|\[[ xX]\])\s+")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[\"'“(]?[^\W_a-z])")
_TICKET = re.compile(r"\b(?!(?:UTF|ISO|SHA|RFC|HTTP|TLS|CVE)-)[A-Z][A-Z0-9]{1,9}-\d{1,7}\b|(?<=ticket )#?\d+\b")
_DAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?)"
)
_DATE = re.compile(
    r"\b\d{4}-\d{2}-\d{2}\b"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH}\b(?:,? \d{{4}})?"
    rf"|\b{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?\b(?:,? \d{{4}})?"
    rf"|\b(?:by|on|until|till|before|due|next|this|for) (?:next |this )?(?:{_DAY})\b"
    r"|\b(?:by |until |before )?(?:tomorrow|tonight"
    r"|(?:the )?end of (?:the |this |next )?(?:day|week|month|quarter|year)|next (?:week|month|quarter|sprint))\b",
)
_LINK = re.compile(r"https?://[^\s<>()\"']+[^\s<>()\"'.,;:!?]")
_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
_PLAIN_WORDS = (
    "a about again all also am an and any are as at be because been before but by can did do does each every for from"
    " get had has have he her his how i if in into is it its just like me more most my new no not now of off on only or"
    " our out please really she should so some still than that the their them then there these they this those to today"
    " too tomorrow until us very want was we were what when which while who will with would yesterday you your"
)
_PLAIN = frozenset(_PLAIN_WORDS.split())
_SHORTEST_TOPIC = 3


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of prose or of a list; headings and code are left out."""
    in_code = False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            in_code = not in_code
        elif not in_code and not line.lstrip().startswith("#"):
            for sentence in _SENTENCE_END.split(_LINE_MARK.sub("", line).strip()):
                if _WORD.search(sentence):
                    yield sentence.strip()[:LONGEST_SENTENCE]


def tickets(text: str) -> tuple[str, ...]:
    """Return the ids of tickets, each once, in their order."""
    return tuple(dict.fromkeys(_TICKET.findall(text)))


def dates(text: str) -> tuple[str, ...]:
    """Return the dates and deadlines in their own words, each once, in their order."""
    return tuple(dict.fromkeys(_DATE.findall(text)))


def links(text: str) -> tuple[str, ...]:
    """Return the web addresses, each once, in their order."""
    return tuple(dict.fromkeys(_LINK.findall(text)))


def words(text: str) -> list[str]:
    """Return the words in lower case."""
    return [word.lower() for word in _WORD.findall(text)]


def topic_words(text: str) -> list[str]:
    """Return the words that say what a text is about, in their order."""
    return [word for word in words(text) if word not in _PLAIN and word.isalnum() and len(word) >= _SHORTEST_TOPIC]


def slug(text: str) -> str:
    """Return a text as a snake_case name of ASCII letters and digits, `general` when nothing is left of it."""
    plain = unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_0123456789")[:48].strip("_") or "general"


def shortened(text: str, most_words: int) -> str:
    """Return the first words of a text, with an ellipsis when some are missing."""
    parts = text.split()
    return text if len(parts) <= most_words else " ".join(parts[:most_words]) + " …"


def capitalised(text: str) -> str:
    """Return the text with a capital at its start; the rest stays as it is."""
    return text[:1].upper() + text[1:]
