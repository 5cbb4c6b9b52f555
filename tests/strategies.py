"""Answers and calls as nobody would think of them, for the property tests."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
import json
from typing import Any, Final

from hypothesis import strategies as st

from tests.simulator import REMOVED, Cut, Fault

_WORDS: Final = (
    *(
        "SUCCESS",
        "SUCCESS\n",
        "success",
        "ERROR",
        "FAILED",
        "FAILURE",
        "PENDING",
        "IN_PROGRESS",
        "create",
        "daily",
    ),
    *(
        "AUTHENTICATION",
        "BILLING",
        "PERMISSION",
        "RATE_LIMIT",
        "RESOURCE_NOT_FOUND",
        "SERVER",
        "UPSTREAM",
    ),
    *(
        "VALIDATION",
        "VEHICLE_STATE",
        "NEW_TYPE",
        "SCHEDULE_NOT_FOUND",
        "VEHICLE_NOT_FOUND",
        "08:00",
        "08:00:30",
        "24:00",
        "sched_1",
        "..",
        "a/b",
        "",
        " ",
        "\ud800",
        "x" * 129,
        "\x00",
    ),
)
# Stands for the device of the car, whose id is made anew for each test.
THE_CAR: Final = "the car"

_KEYS: Final = (
    "data",
    "attributes",
    "status",
    "value",
    "error",
    "errors",
    "type",
    "code",
    "detail",
    "meta",
    "links",
)

# Where an answer says what became of the command.
_DECIDING_PLACES: Final = (
    ("errors",),
    ("error",),
    ("type",),
    ("code",),
    ("data", "attributes", "status", "error"),
    ("data", "attributes", "status", "value"),
)

type Place = tuple[str | int, ...]

_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.sampled_from(_WORDS)
)
json_values: Final = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(_KEYS) | st.text(max_size=5), inner, max_size=5
        )
    ),
    max_leaves=12,
)
_errors = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(_WORDS) | _scalars,
        "code": st.sampled_from(_WORDS) | _scalars,
        "detail": _scalars,
        "meta": json_values,
    },
)
_anything = (
    st.just(REMOVED)
    | st.sampled_from(_WORDS)
    | json_values
    | _errors
    | st.lists(_errors, max_size=2)
)


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """Return where the members of a value are, and theirs."""
    members: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, Mapping):
        members = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    for key, member in members:
        yield (*place, key)
        yield from places(member, (*place, key))


def changed(value: Any, place: Place, new: Any) -> Any:
    """Return the value with something else, or nothing, in this place."""
    if not place:
        return new
    key, *rest = place
    if isinstance(value, list):
        listed = (
            changed(member, tuple(rest), new) if at == key else member
            for at, member in enumerate(value)
        )
        return [member for member in listed if member is not REMOVED]
    inside = value if isinstance(value, Mapping) else {}
    within = {**inside, key: changed(inside.get(key), tuple(rest), new)}
    return {str(key): member for key, member in within.items() if member is not REMOVED}


@st.composite
def near(draw: st.DrawFn, documented: Mapping[str, Any]) -> Any:
    """Return the documented answer, with up to three of its members changed."""
    somewhere = st.sampled_from(_DECIDING_PLACES) | st.sampled_from(
        tuple(places(documented))
    )
    body: Any = documented
    for place, new in draw(st.lists(st.tuples(somewhere, _anything), max_size=3)):
        body = changed(body, place, new)
    return body


def bodies(documented: Mapping[str, Any]) -> st.SearchStrategy[bytes]:
    """Return how bodies are made: near the documented one, any JSON, cut, anything."""
    words = st.sampled_from(_WORDS).map(
        lambda word: changed(
            documented, ("data", "attributes", "status", "value"), word
        )
    )
    values = near(documented) | words | json_values
    encoded = values.map(lambda value: json.dumps(value).encode())
    cut = st.tuples(encoded, st.integers(0, 400)).map(lambda both: both[0][: both[1]])
    return encoded | encoded | cut | st.binary(max_size=40)


_statuses = st.sampled_from(
    (200, 200, 202, 400, 401, 403, 404, 409, 429, 430, 500, 501, 502, 504)
) | st.integers(200, 599)
_header_text = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20
)
_retry_after = (
    st.integers(-5, 70).map(str)
    | st.integers(0, 10**40).map(str)
    | st.datetimes().map(lambda when: f"{when:%a, %d %b %Y %H:%M:%S} GMT")
    | st.sampled_from(("0", "60", "61", " 7 ", "1.5", "1e3", "²", "nan", "-0", "+5"))
    | _header_text
)
_headers = st.fixed_dictionaries(
    {},
    optional={
        "Retry-After": _retry_after,
        "SC-Request-Id": _header_text,
        "Content-Type": st.sampled_from(
            ("application/json", "text/html; charset=utf-7", "nonsense")
        ),
        "Content-Encoding": st.sampled_from(("gzip", "br")),
        "Location": st.sampled_from(("/v3/elsewhere", "http://[", "")),
    },
)


def answers(documented: Mapping[str, Any]) -> st.SearchStrategy[Fault]:
    """Return how answers are made: whole or cut, at once or streamed."""
    return st.builds(
        Fault,
        status=_statuses,
        body=bodies(documented),
        headers=_headers,
        cut=st.sampled_from((None, None, None, *Cut)),
        chunks=st.sampled_from(((), (), ((0, b" "), (0, None)))),
    )


# What may be sent again once, unless its body or its header say otherwise.
_not_executed = st.builds(
    Fault,
    status=st.sampled_from((401, 429)),
    body=st.just(b"")
    | near({"errors": [{"detail": "Not now."}]}).map(
        lambda value: json.dumps(value).encode()
    ),
    headers=st.fixed_dictionaries(
        {"Retry-After": st.integers(0, 60).map(str) | _retry_after}
    ),
    cut=st.sampled_from((None, None, *Cut)),
)


def conversations(documented: Mapping[str, Any]) -> st.SearchStrategy[Sequence[Fault]]:
    """Return how answers follow one another, as many as a command may ever get."""
    either = _not_executed | answers(documented)
    return st.tuples(either, either, answers(documented))


_times = st.times().map(lambda time: f"{time:%H:%M}")
_zones = st.sampled_from(
    ("zone.home", "zone.work", "zone.far", "zone.blank", "zone.nowhere", "person.demo")
)
_places = st.fixed_dictionaries(
    {"latitude": st.floats(-90, 90), "longitude": st.floats(-180, 180)}
)
_numbers = (
    st.floats(-270, 270)
    | st.floats(-270, 270)
    | st.floats()
    | st.floats().map(str)
    | _scalars
)
_where: Final[st.SearchStrategy[dict[str, Any]]] = (
    st.just({})
    | st.fixed_dictionaries({"location": _places})
    | st.fixed_dictionaries({"zone": _zones})
    | st.fixed_dictionaries(
        {
            "location": st.fixed_dictionaries(
                {"latitude": _numbers, "longitude": _numbers}
            )
        }
    )
)
_odd_members: Final[Mapping[str, st.SearchStrategy[Any]]] = {
    "device_id": st.just("unknown"),
    "zone": st.sampled_from(("zone.home, zone.work", "ZONE.Home", ["zone.home"])),
    "location": st.fixed_dictionaries(
        {"latitude": _numbers}, optional={"longitude": _numbers, "radius": json_values}
    ),
    "start_time": st.times()
    | st.times().map(str)
    | st.sampled_from(("24:00", "7:30", "٢٣:٣٠", "23:30\n", " 23:30")),
    "stop_time": st.times()
    | st.integers(0, 24 * 60)
    | st.floats(0, 24)
    | st.datetimes().map(str),
    "replace": st.sampled_from(("on", "no", "perhaps", 0, 2)),
    "anything": st.just(True),
}
_odd_member = st.one_of(
    [
        st.tuples(st.just(name), odd | odd | _scalars | json_values)
        for name, odd in _odd_members.items()
    ]
)


@st.composite
def calls(draw: st.DrawFn) -> dict[str, Any]:
    """Return a call of the action, half of them with a field or two that are odd."""
    call = st.fixed_dictionaries(
        {"start_time": _times, "stop_time": _times},
        optional={"device_id": st.just(THE_CAR), "replace": st.booleans()},
    )
    odd: st.SearchStrategy[list[tuple[str, Any]]] = st.just([]) | st.lists(
        _odd_member, min_size=1, max_size=2
    )
    return {**draw(call), **draw(_where), **dict(draw(odd))}
