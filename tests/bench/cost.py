"""Which requests are sent, and which of them count on Smartcar's bill: all that name a vehicle."""

from collections.abc import Mapping
from typing import Any, Final

from .bench import DOMAIN, Bench
from .results import Result


def _error(status: int, error_type: str, code: str, **headers: str) -> dict[str, Any]:
    """Return a fault: Smartcar refuses, or does not know."""
    body = {"errors": [{"status": str(status), "type": error_type, "code": code}]}
    return {"status": status, "body": body, "headers": headers, "executes": False, "always": True}


# One failure of each kind, for every try of the command.
_FAILURES: Final[Mapping[str, dict[str, Any]]] = {
    "wrong input (400)": _error(400, "VALIDATION", "INVALID_INPUT_FORMAT"),
    "token rejected (401), asked for anew once": _error(401, "AUTHENTICATION", "UNAUTHORIZED"),
    "permission missing (403)": _error(403, "PERMISSION", "MISSING_PERMISSION"),
    "car unknown (404)": _error(404, "RESOURCE_NOT_FOUND", "VEHICLE_NOT_FOUND"),
    "car asleep (409)": _error(409, "VEHICLE_STATE", "ASLEEP"),
    "too many requests (429), sent again after Retry-After once": _error(
        429, "RATE_LIMIT", "SMARTCAR_API", **{"Retry-After": "1"}
    ),
    "too many requests (429), without Retry-After": _error(429, "RATE_LIMIT", "VEHICLE"),
    "refused by the plan (430)": _error(430, "BILLING", "INVALID_PLAN"),
    "server error (500)": _error(500, "SERVER", "INTERNAL"),
    "car not capable (501)": _error(501, "COMPATIBILITY", "VEHICLE_NOT_CAPABLE"),
    "car maker's cloud silent (502)": _error(502, "UPSTREAM", "NO_RESPONSE"),
    "gateway time-out (504)": {"status": 504, "body": "", "executes": False, "always": True},
    "connection lost before the answer": {"cut": "before_answer", "always": True},
    "answer cut off": {"cut": "mid_body", "always": True},
}


async def measure(bench: Bench) -> list[Result]:
    """Count what arrives at Smartcar."""
    await bench.smartcar.behave(create_mode="add")
    results = []
    async with bench.home() as home:
        await bench.smartcar.take_requests()
        await home.add_account(DOMAIN, bench.cars[:10])
        results += await _count(bench, "set-up of an account with 10 cars", goal=0)
        await home.ask("pass_a_day")
        results += await _count(bench, "a day without a command", goal=0)
        await home.ask("set_many", count=1)
        results += await _count(bench, "one set", goal=1)
        await home.ask("set_many", count=1)
        results += await _count(bench, "one set that replaces", goal=2)
        for name, fault in _FAILURES.items():
            await bench.smartcar.behave(fault={**fault, "path": "/charge-schedules/daily"})
            await home.ask("fail_to_set_schedule")
            results += await _count(bench, f"failure: {name}")
    return results


async def _count(bench: Bench, what: str, goal: float | None = None) -> list[Result]:
    """Return how many requests arrived since the last count."""
    paths = [request["path"] for request in await bench.smartcar.take_requests()]
    # The benchmark's own token is not the integration's.
    billable = sum("/vehicles/" in path for path in paths)
    return [
        Result(what=f"Requests, {what}: billable", value=billable, unit="", goal=goal),
        Result(what=f"Requests, {what}: free", value=len(paths) - billable, unit=""),
    ]
