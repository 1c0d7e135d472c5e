"""What the title of a ticket is about, and what it wants of that, as far as the order of its words tells."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from infra.offline_model.prose import dates, topic_words, words

_ENDINGS = ("ing", "ed", "es", "ly", "s", "e")
_SHORTEST_STEM = 3
_SPELLED_ALIKE_FROM = 0.84
_LINK_WORDS = (
    "about after against around as at before behind between by during for from how in into of off on onto out over per"
    " since through to under until what when where which while with within without"
)
_DETERMINER_WORDS = "a an any each every no some that the these this those"
_ASKING_WORDS = (
    "add allow bug create enable fix get give has have implement introduce issue let like make need please problem"
    " provide request should support ticket todo want wish"
)
_QUANTITY_WORDS = "all always any anybody anyone entire every everybody everyone everything only whole"
_LINKS = frozenset(_LINK_WORDS.split())
_DETERMINERS = frozenset(_DETERMINER_WORDS.split())
_SAYING_NOTHING = frozenset(_ASKING_WORDS.split()) | frozenset(_QUANTITY_WORDS.split())
"""What any ticket may say: that something is wanted, or wrong, and of how much, but nothing of what."""
_EXCEPTION = re.compile(r"\b(?:unless|except(?: for| when)?|(?:all|everybody|everyone) but)\b.*$", re.IGNORECASE)
_MANNER = re.compile(r"\b(?:by default|at all|at once|as well|right away)\b", re.IGNORECASE)
_MEASURE = re.compile(
    r"\b(\d+(?:[.,]\d+)?)[ -]?(%|percent|(?:milli)?seconds?|ms|minutes?|hours?|days?|weeks?|months?|years?|[kmg]i?b"
    r"|(?:kilo|mega|giga)bytes?|pixels?|px|characters?|times|euros?|dollars?)(?!\w)",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d+(?:[.]\d+)*")
_TOKEN = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*|:")


@dataclass(frozen=True, slots=True)
class Wording:
    """The stems of a title: what it does (`deed`), and to what (`thing`); its measures, and its other numbers."""

    deed: frozenset[str]
    thing: frozenset[str]
    measures: frozenset[str]
    numbers: frozenset[str]

    def without(self, stems: frozenset[str]) -> "Wording":
        """Return what is left without these."""
        return Wording(self.deed - stems, self.thing - stems, self.measures, self.numbers)


def wording_of(title: str) -> Wording:
    """Return the wording of a title.

    What stands before a colon, or after a word like `in` or `about`, is a thing; what comes first is what is done, and
    so is a verb further on, if what follows shows that it is one.
    """
    plain = _MANNER.sub(" ", _EXCEPTION.sub(" ", title))
    measures = frozenset(" ".join(each).lower() for each in _MEASURE.findall(plain))
    dated = dates(plain)
    for date in dated:
        plain = plain.replace(date, " ")
    plain = _MEASURE.sub(" ", plain)
    deed: set[str] = set()
    thing: set[str] = set()
    for word, is_thing in _placed(plain):
        if word not in _SAYING_NOTHING and not _NUMBER.search(word):
            (thing if is_thing else deed).update(map(stem, topic_words(word)))
    return Wording(frozenset(deed - thing), frozenset(thing), measures, frozenset([*_NUMBER.findall(plain), *dated]))


def _placed(title: str) -> Iterator[tuple[str, bool]]:
    """Yield each word, and whether its place is that of a thing."""
    found = [token.lower() for token in _TOKEN.findall(title)]
    colon = found.index(":") if ":" in found else -1
    is_thing = False
    for at, word in enumerate(found):
        following = found[at + 1] if at + 1 < len(found) else ""
        if word in _LINKS:
            is_thing = True
        elif word != ":" and word not in _DETERMINERS:
            is_verb = following in _DETERMINERS or (word.endswith("ed") and following in _LINKS)
            yield word, at < colon or (is_thing and not is_verb)


def stem(word: str) -> str:
    """Return a word without its usual endings."""
    ending = next((each for each in _ENDINGS if word.endswith(each)), "")
    return word.removesuffix(ending) if len(word) - len(ending) >= _SHORTEST_STEM else word


def stems(text: str) -> frozenset[str]:
    """Return the stems of the words that say what a text is about."""
    return frozenset(map(stem, topic_words(text)))


def said_by_both(mine: Iterable[str], theirs: Iterable[str]) -> frozenset[str]:
    """Return the stems of both that the other side has, too, however it spells them."""
    left, right = frozenset(mine), frozenset(theirs)
    both = left & right
    alike = [(one, other) for one in left - both for other in right - both if _spelled_alike(one, other)]
    return both.union(*alike)


def actors(title: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return who alone may do something, and who is let do it, by `only admins may` and `allow guests to`."""
    said = words(title)
    follow = list(zip(said, said[1:], said[2:], strict=False))
    alone = {stem(who) for word, who, verb in follow if word == "only" and verb in {"may", "can", "should", "must"}}
    let = {stem(who) for word, who, _ in follow if word in {"allow", "let", "permit"}}
    return frozenset(alone), frozenset(let)


def _spelled_alike(one: str, other: str) -> bool:
    return one[0] == other[0] and SequenceMatcher(None, one, other).ratio() >= _SPELLED_ALIKE_FROM
