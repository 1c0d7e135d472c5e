"""Cutting texts into chunks, and what they mention."""

from itertools import pairwise

from shared.retrieval.chunking import chunks_of, mentions_in

PARAGRAPHS = "\n\n".join(f"Paragraph {number} says something of its own. " * 4 for number in range(12))


def test_short_text_is_one_chunk() -> None:
    (chunk,) = chunks_of("Hello there.", 200)

    assert (chunk.start, chunk.end, chunk.text, chunk.vector) == (0, 12, "Hello there.", None)


def test_chunks_are_short_in_order_and_where_they_say() -> None:
    chunks = chunks_of(PARAGRAPHS, 400)

    assert len(chunks) > 3
    assert all(len(chunk.text) <= 400 for chunk in chunks)
    assert all(PARAGRAPHS[chunk.start : chunk.end] == chunk.text for chunk in chunks)
    assert all(one.end <= two.start for one, two in pairwise(chunks))


def test_nothing_but_space_is_left_out() -> None:
    chunks = chunks_of(PARAGRAPHS, 400)

    assert "".join("".join(chunk.text for chunk in chunks).split()) == "".join(PARAGRAPHS.split())
    assert chunks_of(" \n\n ", 400) == []


def test_places_count_characters_not_bytes() -> None:
    text = "Grüße aus Köln. " * 30

    assert all(text[chunk.start : chunk.end] == chunk.text for chunk in chunks_of(text, 200))


def test_change_of_one_section_leaves_the_chunks_of_others_as_they_are() -> None:
    sections = [f"# Section {number}\n\n" + f"Text of section {number} goes on. " * 8 for number in range(6)]
    before = {chunk.text for chunk in chunks_of("\n\n".join(sections), 300)}
    sections[2] = sections[2].replace("goes on", "ends here")

    after = {chunk.text for chunk in chunks_of("\n\n".join(sections), 300)}

    assert 1 <= len(after - before) <= 2


def test_tickets_and_links_are_mentioned_once_where_they_come_first() -> None:
    text = "See APO-12 and https://docs.example.com/a_(b). Again APO-12, not apo-13; also https://x.example.com/?q=A-1."

    found = [(mention.kind, mention.value) for mention in mentions_in(text)]

    assert found == [
        ("ticket", "APO-12"),
        ("link", "https://docs.example.com/a_"),
        ("link", "https://x.example.com/?q=A-1"),
    ]
    assert all(text[each.start :].startswith(each.value) for each in mentions_in(text))


def test_mentions_are_at_most_two_hundred() -> None:
    assert len(mentions_in(" ".join(f"APO-{number}" for number in range(300)))) == 200
