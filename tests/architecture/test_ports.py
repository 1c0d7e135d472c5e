"""Every port has one suite that its fake and its real adapter must both pass."""

import ast
from collections.abc import Iterator

from tests.architecture.repository import files, name, syntax_trees


def _ports() -> Iterator[str]:
    """Yield the protocols of `shared`: what a service is given in two forms, a real one and a fake."""
    for path, tree in syntax_trees().items():
        if path.startswith("shared/"):
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "Protocol" for base in node.bases):
                    yield node.name


def test_every_port_has_a_conformance_suite() -> None:
    suites = "".join(path.read_text() for path in files() if name(path).startswith("tests/conformance/test_"))

    assert list(_ports()) != []
    assert [port for port in _ports() if port not in suites] == []
