"""Which requests are sent, and which of them are billed: all that name a vehicle."""

from collections.abc import Mapping
from typing import Any, Final

from .bench import DOMAIN, Bench
from .results import Result

_CARS: Final = 10


def _error(status: int, error_type: str, code: str, **headers: str) -> dict[str, Any]:
    """Return a fault: Smartcar refuses, or does not know."""
    body = {"errors": [{"status": str(status), "type": error_type, "code": code}]}
    return {
        "status": status,
        "body": body,
        "headers": headers,
        "executes": False,
        "always": True,
    }


# One failure of each kind, for every try of the command.
_FAILURES: Final[Mapping[str, dict[str, Any]]] = {
    "400": _error(400, "VALIDATION", "INVALID_INPUT_FORMAT"),
    "401, tried again with a new token": _error(401, "AUTHENTICATION", "UNAUTHORIZED"),
    "403": _error(403, "PERMISSION", "MISSING_PERMISSION"),
    "404": _error(404, "RESOURCE_NOT_FOUND", "VEHICLE_NOT_FOUND"),
    "409": _error(409, "VEHICLE_STATE", "ASLEEP"),
    "429 without Retry-After": _error(429, "RATE_LIMIT", "VEHICLE"),
    "429, tried again after Retry-After": _error(
        429, "RATE_LIMIT", "SMARTCAR_API", **{"Retry-After": "1"}
    ),
    "430": _error(430, "BILLING", "INVALID_PLAN"),
    "500": _error(500, "SERVER", "INTERNAL"),
    "501": _error(501, "COMPATIBILITY", "VEHICLE_NOT_CAPABLE"),
    "502": _error(502, "UPSTREAM", "NO_RESPONSE"),
    "504": {"status": 504, "body": "", "executes": False, "always": True},
    "lost connection": {"cut": "before_answer", "always": True},
    "answer cut off": {"cut": "mid_body", "always": True},
}


async def measure(bench: Bench) -> list[Result]:
    """Count what arrives at Smartcar."""
    results = []
    await bench.smartcar.behave(create_mode="add")
    async with bench.home() as home:
        await bench.smartcar.take_requests()
        await home.add_account(DOMAIN, bench.cars[:_CARS])
        what = f"Requests for setting up an account with {_CARS} cars"
        results.append(await _count(bench, what, goal=0))
        await home.ask("pass_a_day")
        what = "Requests of a day without a command"
        results.append(await _count(bench, what, goal=0))
        await home.ask("set_many", count=1)
        results.append(await _count(bench, "Requests of one set", goal=1))
        await home.ask("set_many", count=1)
        results.append(await _count(bench, "Requests of one set that replaces", goal=2))
        failures = {}
        for name, fault in _FAILURES.items():
            await bench.smartcar.behave(
                fault={**fault, "path": "/charge-schedules/daily"}
            )
            await home.ask("fail_to_set_schedule")
            requests = await _count(bench, name)
            failures[f"{name}:"] = requests.values["billable"]
    what = "Billable requests of one set that fails"
    return [*results, Result(what=what, values=failures)]


async def _count(bench: Bench, what: str, goal: float | None = None) -> Result:
    """Return how many requests arrived since the last count."""
    paths = [request["path"] for request in await bench.smartcar.take_requests()]
    billable = sum("/vehicles/" in path for path in paths)
    return Result(
        what=what,
        values={"billable": billable, "free": len(paths) - billable},
        figure=billable,
        figure_unit="billable",
        goal=goal,
        is_exact=True,
    )
