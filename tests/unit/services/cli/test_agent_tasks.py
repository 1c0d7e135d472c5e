"""`[[task]]` files: the Agents that they are, what cannot be obeyed, and where something is wrong."""

from pathlib import Path

import pytest

from services.cli.agent_tasks import key_of, tasks_of
from shared.domain.agent_check import checked
from tests.unit.services.cli.test_commands import Desk, desk

__all__ = ["desk"]

GRADER = '''\
[[task]]
name = "progression-grader"
on_idle = true
idle_threshold_minutes = 5
idle_cooldown_minutes = 30
manual = true
agent_types = ["tutor", "college-essay"]
user_filter = "all"
batch_size = 50
system = """You are a curriculum grader..."""
queries = [
    { target = "journey.grader_notes", question = "...", scope = "all", merge = "replace" },
    { target = "journey.blockers", question = "...", scope = "all", merge = "replace" },
    { target = "student.insights", question = "...", scope = "all", merge = "append" },
    { target = "engagement_strategy.approach", question = "...", scope = "all", merge = "llm_diff" }
]
'''


def test_the_grader_is_an_agent_that_can_be_published() -> None:
    (loaded,) = tasks_of(GRADER)
    spec = checked(loaded.content)

    assert (spec.key, spec.manual, spec.schedule_trigger, spec.effects) == (
        "progression-grader",
        True,
        None,
        ("memory_diff",),
    )
    assert spec.on_idle is not None
    assert (spec.on_idle.idle_threshold_minutes, spec.on_idle.idle_cooldown_minutes) == (5, 30)
    assert (spec.memory, spec.tools, spec.tags) == (("user",), (), ("tutor", "college-essay"))
    assert (spec.handler, spec.batch_size) == ("queries", 50)
    assert spec.instructions == "You are a curriculum grader..."
    assert [(query.target, query.scope, query.merge) for query in spec.queries] == [
        ("journey.grader_notes", "all", "replace"),
        ("journey.blockers", "all", "replace"),
        ("student.insights", "all", "append"),
        ("engagement_strategy.approach", "all", "llm_diff"),
    ]
    assert loaded.notes == ("agent_types become tags: memory belongs to the user, whichever assistant is talked to",)


def test_a_schedule_of_one_query_and_an_agent_without_any() -> None:
    asking, telling = tasks_of(
        """
        [agent]
        name = "tutor"

        [[task]]
        name = "Weekly look back!"
        schedule = "0 7 * * MON"
        user_filter = "member.project == 'apollo'"
        batch_size = 5
        tools = ["read_memory", "query_honcho"]
        queries = [
            { target = "student.week", question = "What was new?", recent_limit = 50, scope = "specific" },
            { target = "student.day", question = "And today?", recent_limit = 7, scope = "recent" },
        ]

        [[task]]
        name = "7th"
        system = "Say something kind."
        manual = false
        idle_threshold_minutes = 5
        """
    )
    spec, other = checked(asking.content), checked(telling.content)

    assert (spec.key, spec.on_idle, spec.tools, spec.batch_size) == (
        "weekly-look-back",
        None,
        ("read_memory", "query_honcho"),
        5,
    )
    assert spec.schedule_trigger is not None
    assert spec.schedule_trigger.user_filter == "member.project == 'apollo'"
    assert [(query.scope, query.merge) for query in spec.queries] == [("session", "append"), ("recent", "append")]
    assert spec.queries[1].recent_limit == 7
    assert [note.partition(":")[0] for note in asking.notes] == [
        "agent",
        "tools",
        "queries.0.scope",
        "queries.0.recent_limit",
    ]
    assert (other.key, other.handler, other.effects, other.tools) == ("task-7th", "llm", (), ())
    assert [note.partition(":")[0] for note in telling.notes] == [
        "agent",
        "idle_threshold_minutes",
        "nothing starts it",
    ]


@pytest.mark.parametrize(
    ("wrong", "line", "field"),
    [
        ('name = "progression-grader"', 2, "name"),
        ("batch_size = 50", 9, "batch_size"),
        ('target = "journey.blockers"', 13, "queries.1.target"),
        ('merge = "llm_diff"', 15, "queries.3.merge"),
    ],
)
def test_what_is_wrong_names_line_and_field(wrong: str, line: int, field: str) -> None:
    name, value = wrong.split(" = ")
    text = GRADER.replace(wrong, f"{name} = [{value}]")

    with pytest.raises(ValueError, match=f"^line {line}: task.0.{field}: '{field}' "):
        tasks_of(text)


def test_everything_wrong_is_told_at_once_also_in_tables_of_their_own() -> None:
    text = '''
[[task]]
name = "one"
system = """
[[task]]
schedule = "not a header, but a text"
"""
schedul = "0 7 * * *"

[[task]]
name = "two"
schedule = "0 7 * *"

[[task.queries]]
target = "student.week"
question = "New?"

[[task.queries]]
target = "student"
question = "New?"

[[task]]
name = "three"
'''
    with pytest.raises(ValueError, match="task") as caught:
        tasks_of(text)

    assert [line.split(": ")[:2] for line in str(caught.value).splitlines()] == [
        ["line 8", "task.0.schedul"],
        ["line 12", "task.1.schedule"],
        ["line 19", "task.1.queries.1.target"],
        ["line 22", "task.2.system"],
    ]


def test_keys_are_made_of_names() -> None:
    assert [key_of(name) for name in ("a_b-c", " Ärger & Co ", "7", "x" * 80)] == [
        "a_b-c",
        "rger-co",
        "task-7",
        "x" * 64,
    ]


def test_notes_are_told_with_the_plan(desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "course.toml").write_text(GRADER)
    desk.tell({"valid": True, "errors": [], "published": None, "content_hash": "c", "changes": []})

    assert desk.towpath("agents", "diff", str(tmp_path)) == 0

    printed = capsys.readouterr().out
    assert "progression-grader: agent_types become tags" in printed
    (body,) = desk.bodies()
    assert body["content"]["on_idle"]["idle_cooldown_minutes"] == 30
    assert body["content"]["batch_size"] == 50


def test_a_file_that_is_wrong_is_named_with_line_and_field(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "course.toml").write_text(GRADER.replace('merge = "append"', 'merge = "add"'))

    assert desk.towpath("agents", "diff", str(tmp_path)) == 2

    assert "course.toml: line 14: task.0.queries.2.merge: 'queries.2.merge' is 'add'" in capsys.readouterr().err
    assert desk.asked == []
