"""Keystead in front of an API: asks whether a request's key may pass.

`Keystead` and `AsyncKeystead` ask. `keystead.asgi`, `keystead.wsgi` and `keystead.fastapi` stand in front of
applications.
"""

from ._client import AsyncKeystead, Keystead
from ._errors import InvalidSetting, KeysteadError, Problem, ProtocolError, TimedOut, Unreachable
from ._guard import Guard, Needs, Refusal
from ._question import PermissionQuery, all_of, any_of, on
from ._verdict import Code, Consumer, Credits, Limit, NarrowedPermission, Owner, Quota, Team, Verdict

__all__ = [
    "AsyncKeystead",
    "Code",
    "Consumer",
    "Credits",
    "Guard",
    "InvalidSetting",
    "Keystead",
    "KeysteadError",
    "Limit",
    "NarrowedPermission",
    "Needs",
    "Owner",
    "PermissionQuery",
    "Problem",
    "ProtocolError",
    "Quota",
    "Refusal",
    "Team",
    "TimedOut",
    "Unreachable",
    "Verdict",
    "all_of",
    "any_of",
    "on",
]
__version__ = "0.1.0"
