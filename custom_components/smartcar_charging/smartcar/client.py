"""The Smartcar V3 API: one method for each endpoint, one way for every request."""

import asyncio
from typing import Any, Final, override

import aiohttp

from .auth import Auth
from .errors import (
    AuthenticationError,
    ErrorDetails,
    ErrorType,
    NotSentError,
    RefusedError,
    UnconfirmedError,
    error_from,
)
from .models import Connection, DailySchedule, Execution, TimersReading, check_id
from .reading import as_mapping, as_number
from .transport import Answer, exchange

API_URL: Final = "https://vehicle.api.smartcar.com/v3"

# A command may stream its outcome for longer than 175 s. The limits on connecting make a time-out
# speak for itself: one that comes while connecting proves that nothing was sent.
_COMMAND_TIMEOUT: Final = aiohttp.ClientTimeout(total=330, connect=30, sock_connect=30)
_QUERY_TIMEOUT: Final = aiohttp.ClientTimeout(total=30)

_RECONNECT_AFTER: Final = (1.0, 4.0)
_LONGEST_RETRY_AFTER: Final = 60.0
_PAGE_SIZE: Final = 100
_MOST_PAGES: Final = 100

_SUCCESS: Final = "SUCCESS"
_FAILURE: Final = frozenset({"ERROR", "FAILED", "FAILURE"})


class SmartcarClient:
    """Speaks to Smartcar with one set of credentials; `auth` may be exchanged at any time."""

    def __init__(self, session: aiohttp.ClientSession, auth: Auth) -> None:
        """Take an open session, which stays the caller's, and where tokens come from."""
        self._session = session
        self.auth = auth

    @override
    def __repr__(self) -> str:
        """Name the class only."""
        return f"{type(self).__name__}()"

    async def async_get_connections(self) -> list[Connection]:
        """Return every car connected to the application, live ones first, then simulated ones.

        Free of charge. Follows `GET /v3/connections` of https://smartcar.com/docs/api-reference, page by page.

        Raises AuthenticationError (credentials rejected), RefusedError, NotSentError (no connection), or
        UnconfirmedError (no readable answer).
        """
        live = await self._async_get_connections_of_mode("live")
        simulated = await self._async_get_connections_of_mode("simulated")
        return list((live | simulated).values())

    async def async_check_credentials(self) -> None:
        """Find out, free of charge, whether Smartcar accepts the credentials; raise as above if not."""
        await self._request(
            "GET",
            "/connections",
            timeout=_QUERY_TIMEOUT,
            params={"page[number]": "1", "page[size]": "1"},
        )

    async def async_create_daily_schedule(
        self, vehicle_id: str, user_id: str, schedule: DailySchedule
    ) -> Execution:
        """Set a charge window that repeats daily at a place: one billable request.

        Takes the ids of the car and of the user who connected it (letters, digits, `-`, `_`, at most 128), and the
        schedule: latitude -90 to 90 and longitude -180 to 180 in decimal degrees, `HH:MM` wall-clock times.
        Returns the execution, with the id of the new schedule where Smartcar told it.

        Raises InvalidIdError (nothing was sent), NotSentError (nothing was sent), AuthenticationError and
        RefusedError (nothing was set), UnconfirmedError (sent, outcome unknown: never send it again blindly).

        Follows https://smartcar.com/docs/api-reference/charge-schedules/set-daily-charge-schedule.
        """
        path = f"/vehicles/{check_id(vehicle_id)}/charge-schedules/daily"
        return await self._async_command("POST", path, user_id, json=schedule.as_body())

    async def async_delete_schedule(
        self, vehicle_id: str, user_id: str, schedule_id: str
    ) -> Execution:
        """Delete a charge schedule from the car: one billable request.

        Takes the ids of the car, of the user who connected it, and of the schedule, as a create returned it.
        Returns the execution. Raises as `async_create_daily_schedule` does; a RefusedError whose
        `details.is_not_there` says that there is no such schedule.

        Follows https://smartcar.com/docs/api-reference/charge-schedules/set-daily-charge-schedule, which names it.
        """
        path = (
            f"/vehicles/{check_id(vehicle_id)}/charge-schedules/{check_id(schedule_id)}"
        )
        return await self._async_command("DELETE", path, user_id)

    async def async_get_charge_timers(
        self, vehicle_id: str, user_id: str
    ) -> TimersReading:
        """Return all timers on the car, whoever set them, as Smartcar last read them: one billable request.

        Takes the ids of the car and of the user who connected it. The reading can be about a day old.

        Raises InvalidIdError, NotSentError, AuthenticationError, RefusedError (for a car of which nothing was ever
        read, `details.is_not_there`) and UnconfirmedError (no readable answer; nothing was changed in any case).

        Follows `GET /v3/vehicles/{id}/signals/charge-chargetimers` of https://smartcar.com/docs/api-reference.
        """
        path = f"/vehicles/{check_id(vehicle_id)}/signals/charge-chargetimers"
        headers = {"sc-user-id": check_id(user_id)}
        answer = await self._request(
            "GET", path, timeout=_QUERY_TIMEOUT, headers=headers
        )
        if (reading := TimersReading.from_body(answer.body)) is None:
            raise UnconfirmedError("Smartcar's answer could not be read")
        return reading

    async def _async_get_connections_of_mode(self, mode: str) -> dict[str, Connection]:
        """Return the connections of one mode by their id, from all pages."""
        found: dict[str, Connection] = {}
        for number in range(1, _MOST_PAGES + 1):
            params = {
                "filter[vehicle.mode]": mode,
                "page[number]": str(number),
                "page[size]": str(_PAGE_SIZE),
            }
            answer = await self._request(
                "GET", "/connections", timeout=_QUERY_TIMEOUT, params=params
            )
            page = as_mapping(answer.body).get("data")
            if not isinstance(page, list):
                raise UnconfirmedError(
                    "Smartcar's list of connections could not be read"
                )
            connections = [
                connection
                for resource in page
                if (connection := Connection.from_resource(resource))
            ]
            known = len(found)
            found |= {
                connection.connection_id: connection for connection in connections
            }
            # A page that brings nothing new ends the list, whatever the links say.
            if len(found) == known or not _has_next_page(answer, number):
                break
        return found

    async def _async_command(
        self, method: str, path: str, user_id: str, **request: Any
    ) -> Execution:
        """Send a command to a car, and return its execution only if it provably succeeded."""
        headers = {"sc-user-id": check_id(user_id)}
        answer = await self._request(
            method, path, timeout=_COMMAND_TIMEOUT, headers=headers, **request
        )
        execution = Execution.from_body(answer.body, request_id=answer.request_id)
        if execution.status == _SUCCESS:
            return execution
        if not answer.is_whole:
            message = "the answer did not come whole"
        else:
            message = (
                f"the answer says {execution.status!r}"
                if execution.status
                else "the answer says no status"
            )
        details = ErrorDetails(
            http_status=answer.status, message=message, request_id=answer.request_id
        )
        if execution.status in _FAILURE:
            raise RefusedError(details)
        raise UnconfirmedError(details)

    async def _request(
        self,
        method: str,
        path: str,
        *,
        timeout: aiohttp.ClientTimeout,
        headers: dict[str, str] | None = None,
        **request: Any,
    ) -> Answer:
        """Send a request, again only if it provably was not executed; return a 2xx answer without an error."""
        reconnect_after = iter(_RECONNECT_AFTER)
        may_renew = may_wait = True
        while True:
            try:
                token = await self.auth.async_get_token()
                answer = await exchange(
                    self._session,
                    method,
                    f"{API_URL}{path}",
                    timeout=timeout,
                    secret=token,
                    headers={"Authorization": f"Bearer {token}", **(headers or {})},
                    **request,
                )
            except NotSentError:
                if (delay := next(reconnect_after, None)) is None:
                    raise
                await asyncio.sleep(delay)
                continue
            if (details := answer.error) is None:
                return answer
            error = error_from(details)
            if (
                isinstance(error, AuthenticationError)
                and answer.status == 401
                and may_renew
            ):
                may_renew = False
                if self.auth.discard(token):
                    continue
            if (
                details.kind is ErrorType.RATE_LIMIT
                and answer.status == 429
                and may_wait
                and details.retry_after is not None
                and details.retry_after <= _LONGEST_RETRY_AFTER
            ):
                may_wait = False
                await asyncio.sleep(details.retry_after)
                continue
            raise error


def _has_next_page(answer: Answer, number: int) -> bool:
    """Whether the list goes on, by its link or by its count."""
    body = as_mapping(answer.body)
    total = as_number(as_mapping(body.get("meta")).get("totalCount"))
    return bool(as_mapping(body.get("links")).get("next")) or (
        total is not None and total > number * _PAGE_SIZE
    )
