"""What is asked, as the JSON that is sent."""

from __future__ import annotations

import json
from typing import Any, Mapping, Sequence, Union

PermissionQuery = Union[str, Mapping[str, Any]]
"""A name, or what `all_of`, `any_of` and `on` make."""


def all_of(*permissions: PermissionQuery) -> PermissionQuery:
    """Every one of these."""
    return {"all": list(permissions)}


def any_of(*permissions: PermissionQuery) -> PermissionQuery:
    """At least one of these."""
    return {"any": list(permissions)}


def on(permission: str, resource: str) -> PermissionQuery:
    """This one, on a resource of its own instead of the request's."""
    return {"permission": permission, "resource": resource}


def body(
    key: str,
    *,
    project: str | None,
    environment: str | None,
    ip: str | None,
    method: str | None,
    path: str | None,
    origin: str | None,
    user_agent: str | None,
    permissions: PermissionQuery | None,
    resource: str | None,
    cost: int | None,
    tags: Sequence[str],
    metadata: bool,
) -> bytes:
    """The question. It is also what the cache is keyed by, so it holds all that was asked."""
    asked: dict[str, object] = {
        "key": key,
        "project": project,
        "environment": environment,
        "ip": ip,
        "method": method,
        "path": path,
        "origin": origin,
        "user_agent": user_agent,
        "permissions": permissions,
        "resource": resource,
        "cost": cost,
        "tags": list(tags) or None,
        "include": ["metadata"] if metadata else None,
    }
    asked = {name: value for name, value in asked.items() if value is not None}
    return json.dumps(asked, separators=(",", ":"), allow_nan=False).encode("ascii")
