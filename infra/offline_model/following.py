"""What is said in a session when its job has ended."""

import re
from collections.abc import Iterator

from infra.offline_model.findings import Reading, is_quotable
from infra.offline_model.prose import shortened
from infra.offline_model.sections import Material

_QUOTED_WORDS = 25
_NOTHING = "(nothing)"
_ENDED = {
    "completed": "is done",
    "failed": "has failed",
    "killed": "was stopped by somebody",
    "timed_out": "did not end in time",
    "died": "was not heard of any more, and nobody knows why",
}
_ERROR = re.compile(r"\b(error|exception|fatal|cannot|denied|not found)\b", re.IGNORECASE)
_FAILURE = re.compile(r"\bfail(ed|ure|s)?\b", re.IGNORECASE)


def message(reading: Reading) -> str:
    """Return how the job ended and what its output says about that; without a job, what the text says."""
    material = reading.material
    if not material.job:
        return next((each.sentence for each in reading.findings), "")
    said = _telling_line(material)
    return f"{_ending(material)} {said}".strip()


def _ending(material: Material) -> str:
    job = material.job
    code = job.get("exit_code")
    how = _ENDED.get(str(job.get("status")), "has ended")
    with_code = f" with exit code {code}" if code else ""
    return f"The {job.get('kind', 'job')} `{job.get('command') or job.get('job_id')}` {how}{with_code}."


def _telling_line(material: Material) -> str:
    """Return the line that says what went wrong, or the last one of a job that is done."""
    lines = list(_lines(material.job_output))
    if not lines:
        return "It has printed nothing."
    if material.job.get("status") == "completed":
        return f'Its output ends with "{shortened(lines[-1], _QUOTED_WORDS)}".'
    wrong = [line for rule in (_ERROR, _FAILURE) for line in lines if rule.search(line)]
    return f'Look at this first: "{shortened((wrong or lines[-1:])[0], _QUOTED_WORDS)}".'


def _lines(output: str) -> Iterator[str]:
    printed = (line.strip() for line in output.splitlines() if output != _NOTHING)
    return (line for line in printed if line and is_quotable(line))
