"""How the simulator misbehaves when a test tells it to."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum, auto
from typing import Any, Final, Self

from .answers import Answer, Body, error_body
from .received import PathMatch, ReceivedRequest


class Cut(StrEnum):
    """Where the connection breaks."""

    BEFORE_ANSWER = "before_answer"
    MID_BODY = "mid_body"


class Special(Enum):
    """Values that no JSON has."""

    NORMAL = auto()
    REMOVED = auto()


# The body that the simulator would have sent without the fault.
NORMAL: Final = Special.NORMAL
# In a merge: this key is not in the answer.
REMOVED: Final = Special.REMOVED


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One departure from the normal answer; what is not given stays normal.

    `executes` says whether the command takes effect on the car, which it does on
    arrival; None means unless `status` is an error. `merge` changes a successful
    answer. In `chunks`, each after its seconds, None stands for the body.
    """

    status: int | None = None
    body: Body | Special = NORMAL
    headers: Mapping[str, str] = field(default_factory=dict)
    hold: asyncio.Event | None = None
    delay: float = 0
    executes: bool | None = None
    merge: Mapping[str, Any] | None = None
    chunks: Sequence[tuple[float, bytes | None]] = ()
    cut: Cut | None = None

    @classmethod
    def error(
        cls,
        status: int,
        error_type: str,
        code: str | None = None,
        detail: str = "The simulator was told to answer this.",
        *,
        resolution: str | None = "RETRY_LATER",
        headers: Mapping[str, str] | None = None,
        executes: bool = False,
    ) -> Self:
        """Answer an error in Smartcar's shape."""
        body = error_body(status, error_type, code, detail, resolution=resolution)
        return cls(status=status, body=body, headers=headers or {}, executes=executes)

    @classmethod
    def streamed(
        cls,
        seconds: float,
        *,
        body: Body | Special = NORMAL,
        merge: Mapping[str, Any] | None = None,
        executes: bool | None = None,
        cut: Cut | None = None,
    ) -> Self:
        """Answer 202 at once, and stream the outcome, or this body, later."""
        return cls(
            status=202,
            body=body,
            merge=merge,
            executes=executes,
            cut=cut,
            chunks=((seconds, None),),
        )

    @classmethod
    def without_id(cls) -> Self:
        """Answer a success that does not tell the id of the schedule."""
        attributes = {"scheduleId": Special.REMOVED}
        links = Special.REMOVED
        return cls(merge={"data": {"attributes": attributes, "links": links}})

    @classmethod
    def slow(cls, seconds: float) -> Self:
        """Answer normally after some seconds."""
        return cls(delay=seconds)

    @property
    def takes_effect(self) -> bool:
        """Tell whether the car does what was asked."""
        return not self._is_error if self.executes is None else self.executes

    @property
    def replaces(self) -> bool:
        """Tell whether the answer is made without the normal one."""
        return self.body is not NORMAL or self._is_error

    @property
    def _is_error(self) -> bool:
        """Tell whether the status is one of an error."""
        return self.status is not None and self.status >= 400

    def replacement(self) -> Answer:
        """Return the answer instead of the normal one."""
        return Answer(
            status=self.status or 200,
            body=None if isinstance(self.body, Special) else self.body,
        )

    def changed(self, normal: Answer) -> Answer:
        """Return the normal answer with this fault's changes; a refusal has none."""
        status = self.status or normal.status
        if normal.status >= 400:
            # A stream's status line is sent before the outcome is known.
            return replace(normal, status=status) if self.chunks else normal
        return Answer(status=status, body=_merged(normal.body, self.merge or {}))


def _merged(base: Any, changes: Any) -> Any:
    """Return the base with the changes merged into it, objects member by member."""
    if not isinstance(base, Mapping) or not isinstance(changes, Mapping):
        return changes
    merged = {
        **base,
        **{key: _merged(base.get(key), value) for key, value in changes.items()},
    }
    return {key: value for key, value in merged.items() if value is not REMOVED}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rule:
    """A fault and the requests it is for."""

    fault: Fault
    method: str | None
    path: PathMatch


@dataclass(kw_only=True, eq=False)
class Faults:
    """Which request meets which fault."""

    _scripted: list[_Rule] = field(default_factory=list, init=False, repr=False)
    _standing: list[_Rule] = field(default_factory=list, init=False, repr=False)

    def script(
        self, *faults: Fault, method: str | None = None, path: PathMatch = None
    ) -> None:
        """Queue faults, each for the next one matching request."""
        self._scripted.extend(
            _Rule(fault=fault, method=method, path=path) for fault in faults
        )

    def always(
        self, fault: Fault, *, method: str | None = None, path: PathMatch = None
    ) -> None:
        """Apply a fault to all matching requests until `behave`.

        Scripted faults go first, then the latest of these.
        """
        self._standing.insert(0, _Rule(fault=fault, method=method, path=path))

    def behave(self) -> None:
        """Forget all faults."""
        self._scripted.clear()
        self._standing.clear()

    def take_fault(self, request: ReceivedRequest) -> Fault:
        """Return the fault for this request, or an empty one; strike a scripted one."""
        for rules in (self._scripted, self._standing):
            for rule in rules:
                if request.matches(rule.method, rule.path):
                    if rules is self._scripted:
                        rules.remove(rule)
                    return rule.fault
        return Fault()
