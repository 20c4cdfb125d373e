"""The newest versions of resources of one type, and what others have worked out about them.

It does not know what is worked out: that is forgotten as soon as anything changes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

Resource = dict[str, Any]
T = TypeVar("T")


class Shelf:
    """Resources by id, in the order in which they first came."""

    def __init__(self) -> None:
        self.resources: dict[str, Resource] = {}
        self._derived: dict[Hashable, object] = {}

    def put(self, resource: Resource) -> None:
        """Add a resource, or replace the one of its id in its place."""
        self.resources[resource["id"]] = resource
        self._derived.clear()

    def remove(self, name: str) -> None:
        """Take a resource away, if it is there."""
        if self.resources.pop(name, None) is not None:
            self._derived.clear()

    def derived(self, key: Hashable, work_out: Callable[[Shelf], T]) -> T:
        """Return what a function makes of this shelf; worked out once until something changes."""
        if key not in self._derived:
            self._derived[key] = work_out(self)
        return cast("T", self._derived[key])
