"""The Smartcar V3 API: one method for each endpoint, one way for every request."""

import asyncio
from collections.abc import Callable
from typing import Any, Final, override

import aiohttp

from .auth_protocol import Auth
from .conclusions import SUCCESS, conclude
from .errors import (
    AuthenticationError,
    ErrorDetails,
    ErrorType,
    NotSentError,
    RefusedError,
    UnconfirmedError,
)
from .models import Connection, DailySchedule, Execution, TimersReading, check_id
from .reading import as_number, member
from .transport import Answer, Transmission, check_session, exchange

API_URL: Final = "https://vehicle.api.smartcar.com/v3"

# A command may stream its outcome for longer than 175 s.
COMMAND_TIMEOUT: Final = aiohttp.ClientTimeout(total=330, connect=30, sock_connect=30)
QUERY_TIMEOUT: Final = aiohttp.ClientTimeout(total=30)
# Seconds before each retry of what was not sent.
RETRY_DELAYS: Final = (1.0, 4.0)
# Seconds; a longer wait is the user's decision.
MAX_RETRY_AFTER: Final = 60.0
PAGE_SIZE: Final = 100
MAX_PAGES: Final = 100


# Who connected the car; a function is asked anew before each sending.
type UserId = str | Callable[[], str]


class SmartcarClient:
    """Speaks to Smartcar with one set of credentials.

    `auth` may be exchanged at any time: it counts from the next sending on. A user who
    is exchanged with it has to be given as a function.
    """

    def __init__(self, session: aiohttp.ClientSession, auth: Auth) -> None:
        """Take where tokens come from, and an open session, which stays the caller's.

        Raises ValueError if the session has no trace config of `create_trace_config`.
        """
        check_session(session)
        self._session = session
        self.auth = auth

    @override
    def __repr__(self) -> str:
        """Name the class only."""
        return f"{type(self).__name__}()"

    async def async_get_connections(self) -> list[Connection]:
        """Return every car connected to the application, live ones first.

        Free of charge. Follows `GET /v3/connections` of
        https://smartcar.com/docs/api-reference, page by page.

        Raises AuthenticationError (credentials rejected), RefusedError, NotSentError
        (no connection), or UnconfirmedError (no readable answer).
        """
        live = await self._async_get_connections_of_mode("live")
        simulated = await self._async_get_connections_of_mode("simulated")
        connections = live | simulated
        return list(connections.values())

    async def async_check_credentials(self) -> None:
        """Find out, free of charge, whether Smartcar accepts the credentials.

        Asks for one connection. Raises as `async_get_connections` does.
        """
        params = {"page[number]": "1", "page[size]": "1"}
        await self._async_get_page(params)

    async def async_create_daily_schedule(
        self,
        vehicle_id: str,
        user_id: UserId,
        schedule: DailySchedule,
        *,
        transmission: Transmission | None = None,
    ) -> Execution:
        """Set a charge window that repeats daily at a place: one billable request.

        Takes the ids of the car and of the user who connected it (letters, digits,
        `-`, `_`, at most 128), and the schedule: latitude -90 to 90 and longitude
        -180 to 180 in decimal degrees, times of day in whole minutes. Returns the
        execution, with the id of the new schedule where Smartcar told it.

        Raises InvalidIdError and NotSentError (nothing was sent), AuthenticationError
        and RefusedError (nothing was set), UnconfirmedError (sent, outcome unknown:
        never send it again blindly). Where it is cancelled, a new `transmission` that
        was passed along says whether a request is out.

        Follows https://smartcar.com/docs/api-reference/charge-schedules/set-daily-charge-schedule.
        """
        path = f"/vehicles/{check_id(vehicle_id)}/charge-schedules/daily"
        return await self._async_command(
            "POST", path, user_id, transmission, json=schedule.as_body()
        )

    async def async_delete_schedule(
        self,
        vehicle_id: str,
        user_id: UserId,
        schedule_id: str,
        *,
        transmission: Transmission | None = None,
    ) -> Execution:
        """Delete a charge schedule from the car: one billable request.

        Takes the ids of the car, of the user who connected it, and of the schedule,
        as a create returned it. Returns the execution.

        Raises as `async_create_daily_schedule` does, and GoneError, a RefusedError,
        if there is no such schedule.

        Follows https://smartcar.com/docs/api-reference/charge-schedules/set-daily-charge-schedule,
        which names it.
        """
        schedules = f"/vehicles/{check_id(vehicle_id)}/charge-schedules"
        path = f"{schedules}/{check_id(schedule_id)}"
        return await self._async_command("DELETE", path, user_id, transmission)

    async def async_get_charge_timers(
        self, vehicle_id: str, user_id: UserId
    ) -> TimersReading:
        """Return all timers on the car, whoever set them: one billable request.

        Takes the ids of the car and of the user who connected it. Returns them as
        Smartcar last read them, which can be about a day ago.

        Raises InvalidIdError, NotSentError, AuthenticationError, RefusedError (with
        the code SIGNAL_NOT_FOUND for a car of which nothing was ever read) and
        UnconfirmedError (no readable answer); it changes nothing in any case.

        Follows `GET /v3/vehicles/{id}/signals/charge-chargetimers` of
        https://smartcar.com/docs/api-reference.
        """
        path = f"/vehicles/{check_id(vehicle_id)}/signals/charge-chargetimers"
        answer = await self._async_request(
            "GET", path, timeout=QUERY_TIMEOUT, user_id=user_id
        )
        reading = TimersReading.from_body(answer.body)
        if reading is None:
            raise UnconfirmedError("Smartcar's answer could not be read")
        return reading

    async def _async_get_connections_of_mode(self, mode: str) -> dict[str, Connection]:
        """Return the connections of one mode by their id, from all pages."""
        found: dict[str, Connection] = {}
        for number in range(1, MAX_PAGES + 1):
            params = {
                "filter[vehicle.mode]": mode,
                "page[number]": str(number),
                "page[size]": str(PAGE_SIZE),
            }
            page = await self._async_get_page(params)
            known = len(found)
            for resource in page["data"]:
                connection = Connection.from_resource(resource)
                if connection is not None:
                    found[connection.connection_id] = connection
            # A page that brings nothing new ends the list, whatever the links say.
            if len(found) == known or not _has_next_page(page, number):
                break
        return found

    async def _async_get_page(self, params: dict[str, str]) -> dict[str, Any]:
        """Return one page of the list of connections, which has a list as its data."""
        answer = await self._async_request(
            "GET", "/connections", timeout=QUERY_TIMEOUT, params=params
        )
        page: dict[str, Any] = answer.body
        if not isinstance(member(page, "data"), list):
            raise UnconfirmedError("Smartcar's list of connections could not be read")
        return page

    async def _async_command(
        self,
        method: str,
        path: str,
        user_id: UserId,
        transmission: Transmission | None,
        **request: Any,
    ) -> Execution:
        """Send a command, and return its execution only if it provably succeeded."""
        answer = await self._async_request(
            method,
            path,
            timeout=COMMAND_TIMEOUT,
            transmission=transmission,
            user_id=user_id,
            **request,
        )
        execution = Execution.from_body(answer.body, request_id=answer.request_id)
        if execution.status == SUCCESS:
            return execution
        if not answer.is_whole:
            message = "the answer did not come whole"
        elif execution.status is None:
            message = "the answer says no status"
        else:
            message = f"the answer says {execution.status!r}"
        details = ErrorDetails(
            http_status=answer.status, message=message, request_id=answer.request_id
        )
        raise UnconfirmedError(details)

    async def _async_request(
        self,
        method: str,
        path: str,
        *,
        timeout: aiohttp.ClientTimeout,
        transmission: Transmission | None = None,
        user_id: UserId | None = None,
        **request: Any,
    ) -> Answer:
        """Return the answer that accepts a request, or raise what was concluded.

        It is sent again only if it provably was not executed: if it was not sent, if
        its token was rejected and another can be had, or if Smartcar's own limit asks
        for a short wait.
        """
        # What can not be an id is refused before a token is asked for.
        _headers_of_user(user_id)
        transmission = transmission or Transmission()
        delays = list(RETRY_DELAYS)
        renewed: Auth | None = None
        may_wait_for_limit = True
        while True:
            auth = self.auth
            token: str | None = None
            delay: float | None = None
            try:
                token = await auth.async_get_token()
                if auth is not self.auth:
                    # Exchanged meanwhile, and perhaps the user with it.
                    continue
                answer = await exchange(
                    self._session,
                    method,
                    f"{API_URL}{path}",
                    timeout=timeout,
                    secret=token,
                    transmission=transmission,
                    headers={
                        "Authorization": f"Bearer {token}",
                        **_headers_of_user(user_id),
                    },
                    **request,
                )
                conclude(answer)
            except NotSentError as err:
                delay = _delay_before_retry(err, delays)
            except AuthenticationError as err:
                err.auth = auth
                if not self._can_have_another_token(err, token, renewed):
                    raise
                renewed = auth
            except RefusedError as err:
                if not may_wait_for_limit or not _is_short_limit(err.details):
                    raise
                may_wait_for_limit = False
                delay = err.details.retry_after
            else:
                return answer
            # What was sent is refused: nothing is out until it is sent again.
            transmission.sends = 0
            if delay is not None:
                await asyncio.sleep(delay)

    def _can_have_another_token(
        self, err: AuthenticationError, token: str | None, renewed: Auth | None
    ) -> bool:
        """Whether what was rejected, a token or who should get one, can be replaced."""
        if token is not None and err.details.http_status != 401:
            return False
        # A rejection is about the credentials that were used: others may be in use now.
        if err.auth is not self.auth:
            return True
        if token is None or err.auth is renewed:
            return False
        return self.auth.discard(token)


def _headers_of_user(user_id: UserId | None) -> dict[str, str]:
    """Return the header that says who connected the car, if it is about a car."""
    if user_id is None:
        return {}
    return {"sc-user-id": check_id(user_id() if callable(user_id) else user_id)}


def _delay_before_retry(err: NotSentError, delays: list[float]) -> float:
    """Take the next delay; raise the error if there is none, or a longer one needed."""
    retry_after = err.details.retry_after or 0.0
    if not delays or retry_after > MAX_RETRY_AFTER:
        raise err
    return max(delays.pop(0), retry_after)


def _is_short_limit(details: ErrorDetails) -> bool:
    """Whether this is Smartcar's own limit, and it can be waited for."""
    if details.http_status != 429 or details.type != ErrorType.RATE_LIMIT:
        return False
    return details.retry_after is not None and details.retry_after <= MAX_RETRY_AFTER


def _has_next_page(page: dict[str, Any], number: int) -> bool:
    """Whether the list goes on after this page, by its link or by its count."""
    if member(page, "links", "next"):
        return True
    total = as_number(member(page, "meta", "totalCount"))
    return total is not None and total > number * PAGE_SIZE
