"""The ids of Agents and of their versions, as people read them: `noter`, `acme/noter`, `acme/noter:3`.

A key holds neither a slash nor a colon, so whatever an organisation is called, no two ids are alike.
"""


def agent_id(organisation: str, key: str) -> str:
    """Return the id of the Agent that belongs to this organisation; an empty one stands for the server."""
    return f"{organisation}/{key}" if organisation else key


def version_id(organisation: str, key: str, number: int) -> str:
    """Return the id of one version, which a run is pinned to."""
    return f"{agent_id(organisation, key)}:{number}"
