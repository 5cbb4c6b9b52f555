"""Tokens: minted, shared, renewed, and never shown."""

import asyncio
import traceback
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import pytest

from custom_components.smartcar_charging.smartcar import (
    AccessToken,
    AuthenticationError,
    ClientCredentials,
    NotSentError,
    SmartcarClient,
    SmartcarError,
    UnconfirmedError,
    auth,
    client,
)
from tests.simulator import (
    DEMO_CLIENT_ID,
    DEMO_CLIENT_SECRET,
    REMOVED,
    TESLA,
    VOLVO,
    Cut,
    Fault,
    Simulator,
)

from .conftest import TOKEN_PATH, Clock, Serving, create, hanging_up, sending

TOKEN = "a-pasted-token-that-nobody-may-see"


def everything_said(error: BaseException) -> str:
    """Return all that a log could show of an error and of what caused it."""
    return "".join(
        [*traceback.format_exception(error), str(error), repr(error), repr(vars(error))]
    )


async def test_minting_is_the_official_request(
    simulator: Simulator, credentials: ClientCredentials
) -> None:
    """A token is asked for with a form, as the documentation shows it."""
    token = await credentials.async_get_token()

    (request,) = simulator.requests
    assert (request.method, request.path, request.query) == ("POST", TOKEN_PATH, {})
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Authorization" not in request.headers
    assert parse_qs(request.body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": [DEMO_CLIENT_ID],
        "client_secret": [DEMO_CLIENT_SECRET],
    }
    assert simulator.tokens_minted == [token]


async def test_token_is_minted_once_for_commands_at_once(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """All commands wait for the one token."""
    await asyncio.gather(
        *(create(smartcar, car) for car in (TESLA, VOLVO, TESLA, VOLVO))
    )

    assert len(simulator.received(path=TOKEN_PATH)) == 1
    assert len(simulator.creates) == 4


async def test_those_who_wait_share_a_failure(
    simulator: Simulator, credentials: ClientCredentials
) -> None:
    """Each gets an error of its own, with one reason; and the next one asks again."""
    simulator.script(Fault(status=500), path=TOKEN_PATH)

    failures = await asyncio.gather(
        credentials.async_get_token(),
        credentials.async_get_token(),
        credentials.async_get_token(),
        return_exceptions=True,
    )

    assert [str(failure) for failure in failures] == ["no access token: HTTP 500"] * 3
    assert [type(failure) for failure in failures] == [NotSentError] * 3
    assert len({id(failure) for failure in failures}) == 3
    assert len(simulator.requests) == 1
    assert simulator.tokens_minted == []
    assert [await credentials.async_get_token()] == simulator.tokens_minted


async def test_those_who_wait_share_a_rejection(
    simulator: Simulator, session: aiohttp.ClientSession
) -> None:
    """Wrong credentials are sent once, and everybody hears of it."""
    credentials = ClientCredentials(session, "client_unknown", DEMO_CLIENT_SECRET)

    failures = await asyncio.gather(
        credentials.async_get_token(),
        credentials.async_get_token(),
        return_exceptions=True,
    )

    assert [type(failure) for failure in failures] == [AuthenticationError] * 2
    assert len(simulator.requests) == 1


async def test_hanging_token_endpoint_is_waited_for_three_times_in_all(
    simulator: Simulator, smartcar: SmartcarClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six cars do not wait one after another."""
    monkeypatch.setattr(auth, "TOKEN_TIMEOUT", aiohttp.ClientTimeout(total=0.1))
    simulator.always(Fault.slow(60), path=TOKEN_PATH)

    failures = await asyncio.gather(
        *[create(smartcar) for _ in range(6)], return_exceptions=True
    )

    assert [type(failure) for failure in failures] == [NotSentError] * 6
    assert len(simulator.requests) == 3


async def test_who_waits_and_goes_away_harms_nobody(
    simulator: Simulator, credentials: ClientCredentials
) -> None:
    """The others wait on."""
    held = asyncio.Event()
    simulator.script(Fault(hold=held))
    first = asyncio.create_task(credentials.async_get_token())
    await simulator.wait_for_request()
    second = asyncio.create_task(credentials.async_get_token())
    third = asyncio.create_task(credentials.async_get_token())
    await asyncio.sleep(0)

    second.cancel()
    held.set()

    assert await first == await third
    assert second.cancelled()
    assert len(simulator.requests) == 1


async def test_who_mints_and_goes_away_harms_nobody(
    simulator: Simulator, credentials: ClientCredentials
) -> None:
    """One of those who wait asks instead."""
    simulator.script(Fault(hold=asyncio.Event()))
    first = asyncio.create_task(credentials.async_get_token())
    await simulator.wait_for_request()
    second = asyncio.create_task(credentials.async_get_token())
    third = asyncio.create_task(credentials.async_get_token())
    await asyncio.sleep(0)

    first.cancel()

    assert await second == await third
    assert first.cancelled()
    assert len(simulator.requests) == 2


async def test_nothing_is_left_when_all_go_away(
    simulator: Simulator, credentials: ClientCredentials
) -> None:
    """Nobody mints for nobody, and who comes later is served."""
    before = asyncio.all_tasks()
    simulator.script(Fault(hold=asyncio.Event()))
    waiting = [asyncio.create_task(credentials.async_get_token()) for _ in range(3)]
    await simulator.wait_for_request()

    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)

    assert all(task.cancelled() for task in waiting)
    simulator.behave()
    assert await credentials.async_get_token() == simulator.tokens_minted[-1]
    assert [task for task in asyncio.all_tasks() - before if not is_servers(task)] == []


def is_servers(task: asyncio.Task[Any]) -> bool:
    """Whether a task is the simulator's, which serves a connection."""
    return "RequestHandler" in repr(task)


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_of_the_token_endpoint_is_kept(
    simulator: Simulator, credentials: ClientCredentials, clock: Clock, status: int
) -> None:
    """Nobody asks before its time, and the errors say what remains."""
    simulator.script(Fault(status=status, headers={"Retry-After": "90"}))

    with pytest.raises(NotSentError, match=f"HTTP {status}") as first:
        await credentials.async_get_token()
    clock.now += 30
    with pytest.raises(NotSentError, match="asked to wait") as second:
        await credentials.async_get_token()
    asked = len(simulator.requests)
    clock.now += 60
    token = await credentials.async_get_token()

    assert first.value.details.retry_after == 90
    assert second.value.details.retry_after == 60
    assert asked == 1
    assert simulator.tokens_minted == [token]


async def test_retry_after_of_a_year_is_not_believed(
    simulator: Simulator, credentials: ClientCredentials, clock: Clock
) -> None:
    """Else one garbled header would end all commands."""
    simulator.script(Fault(status=503, headers={"Retry-After": "99999999"}))

    with pytest.raises(NotSentError) as caught:
        await credentials.async_get_token()
    clock.now += auth.MAX_TOKEN_RETRY_AFTER

    assert caught.value.details.retry_after == 3600
    assert await credentials.async_get_token()


@pytest.mark.parametrize("status", [200, 400, 500, 502])
async def test_retry_after_of_anything_else_is_not_heeded(
    simulator: Simulator, credentials: ClientCredentials, status: int
) -> None:
    """Only a limit and a service that is away for a while say so."""
    headers = {"Retry-After": "90"}
    simulator.script(Fault(status=status, body="<html>", headers=headers))

    with pytest.raises(NotSentError) as caught:
        await credentials.async_get_token()

    assert caught.value.details.retry_after is None
    assert await credentials.async_get_token()


async def test_command_waits_as_long_as_the_token_endpoint_asks(
    simulator: Simulator,
    smartcar: SmartcarClient,
    slept: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its pause is as long as wanted, if that is a minute at most."""
    monkeypatch.setattr(client, "RETRY_DELAYS", (1.0, 4.0))
    simulator.always(Fault(status=503, headers={"Retry-After": "60"}), path=TOKEN_PATH)

    with pytest.raises(NotSentError):
        await create(smartcar)

    assert slept == [60, pytest.approx(60, abs=1)]
    assert len(simulator.requests) == 1


async def test_command_does_not_wait_longer_than_a_minute(
    simulator: Simulator, smartcar: SmartcarClient, slept: list[float]
) -> None:
    """The user decides when to try again."""
    simulator.always(Fault(status=429, headers={"Retry-After": "61"}), path=TOKEN_PATH)

    with pytest.raises(NotSentError) as caught:
        await create(smartcar)

    assert caught.value.details.retry_after == 61
    assert slept == []


@pytest.mark.parametrize(
    ("age", "minted"), [(0, 1), (3539.9, 1), (3540, 2), (3600, 2), (90_000, 2)]
)
async def test_token_is_renewed_before_its_last_minute(
    simulator: Simulator,
    smartcar: SmartcarClient,
    clock: Clock,
    age: float,
    minted: int,
) -> None:
    """No command is sent with a token that could expire on its way."""
    await create(smartcar)
    clock.now += age

    await create(smartcar)

    assert len(simulator.tokens_minted) == minted
    assert len(simulator.creates) == 2


@pytest.mark.parametrize(
    ("expires_in", "usable_for"),
    [
        (7200, 7140),
        (120.5, 60.5),
        (REMOVED, 3540),
        (None, 3540),
        ("7200", 3540),
        (True, 3540),
        ([], 3540),
        (float("nan"), 3540),
        (float("inf"), 3540),
        (10**300, 3540),
    ],
)
async def test_odd_lifetime_counts_as_the_documented_hour(
    simulator: Simulator,
    credentials: ClientCredentials,
    clock: Clock,
    expires_in: object,
    usable_for: float,
) -> None:
    """Only a sane number is believed."""
    simulator.always(Fault(merge={"expires_in": expires_in}), path=TOKEN_PATH)
    first = await credentials.async_get_token()
    clock.now += usable_for - 0.1
    second = await credentials.async_get_token()
    clock.now += 0.1
    third = await credentials.async_get_token()

    assert first == second
    assert simulator.tokens_minted == [first, third]


@pytest.mark.parametrize("expires_in", [0, -5, 60])
async def test_token_of_a_minute_serves_once(
    simulator: Simulator, credentials: ClientCredentials, clock: Clock, expires_in: int
) -> None:
    """A token that is always in its last minute still serves whoever asked for it."""
    simulator.always(Fault(merge={"expires_in": expires_in}), path=TOKEN_PATH)

    tokens = [await credentials.async_get_token(), await credentials.async_get_token()]

    assert simulator.tokens_minted == tokens


async def test_discarding_another_token_keeps_the_present_one(
    simulator: Simulator, credentials: ClientCredentials
) -> None:
    """A token that was already replaced is not replaced again."""
    token = await credentials.async_get_token()

    assert credentials.discard("an earlier one")
    assert await credentials.async_get_token() == token
    assert credentials.discard(token)
    assert await credentials.async_get_token() != token


@pytest.mark.parametrize(
    ("client_id", "client_secret"),
    [
        ("client_unknown", DEMO_CLIENT_SECRET),
        (DEMO_CLIENT_ID, "wrong secret"),
        (DEMO_CLIENT_ID, "s3cr€t&=+ "),
    ],
)
async def test_wrong_credentials_are_an_authentication_error(
    simulator: Simulator,
    session: aiohttp.ClientSession,
    client_id: str,
    client_secret: str,
) -> None:
    """A wrong id or secret is said once, and nothing goes to the car."""
    smartcar = SmartcarClient(
        session, ClientCredentials(session, client_id, client_secret)
    )

    with pytest.raises(AuthenticationError, match="invalid_client") as caught:
        await create(smartcar)

    assert caught.value.details.http_status == 401
    assert client_secret not in everything_said(caught.value)
    assert [request.path for request in simulator.requests] == [TOKEN_PATH]


@pytest.mark.parametrize("status", [400, 401])
@pytest.mark.parametrize(
    "body", [{"error": "invalid_request"}, {"error": "invalid_client"}]
)
async def test_only_oauth_refusals_are_about_the_credentials(
    simulator: Simulator, credentials: ClientCredentials, status: int, body: Any
) -> None:
    """400 and 401 are OAuth's two refusals, if they come in its shape."""
    simulator.script(Fault(status=status, body=body))

    with pytest.raises(AuthenticationError):
        await credentials.async_get_token()


@pytest.mark.parametrize(
    ("fault", "limit", "text"),
    [
        (
            Fault(status=302, body=None, headers={"Location": "/v3/elsewhere"}),
            30,
            "no access token: HTTP 302",
        ),
        (Fault(status=400), 30, "no access token: HTTP 400"),
        (
            Fault(status=401, body="<html>Sign in to the hotel's network</html>"),
            30,
            "no access token: HTTP 401",
        ),
        (Fault(status=403), 30, "no access token: HTTP 403"),
        (Fault(status=404), 30, "no access token: HTTP 404"),
        (Fault(status=429), 30, "no access token: HTTP 429"),
        (Fault(status=500), 30, "no access token: HTTP 500"),
        (
            Fault(status=503, body={"error": "invalid_client"}),
            30,
            "no access token: HTTP 503",
        ),
        (Fault(body={"error": "invalid_client"}), 30, "no access token: HTTP 200"),
        (
            Fault(status=500, body={"access_token": "token"}),
            30,
            "no access token: HTTP 500",
        ),
        (Fault(body="<html>"), 30, "no access token: HTTP 200"),
        (Fault(body=[]), 30, "no access token: HTTP 200"),
        (Fault(body=None), 30, "no access token: HTTP 200"),
        (Fault(cut=Cut.MID_BODY), 30, "no access token: HTTP 200"),
        (
            Fault(cut=Cut.BEFORE_ANSWER),
            30,
            (
                "no access token: the connection was lost before an answer came "
                "(ClientOSError)"
            ),
        ),
        (Fault.slow(60), 0.2, "no access token: no answer within the time limit"),
    ],
)
async def test_no_token_is_not_sent(
    *,
    simulator: Simulator,
    smartcar: SmartcarClient,
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
    limit: float,
    text: str,
) -> None:
    """Whatever keeps a token from coming, the command was not sent."""
    monkeypatch.setattr(auth, "TOKEN_TIMEOUT", aiohttp.ClientTimeout(total=limit))
    simulator.always(fault, path=TOKEN_PATH)

    with pytest.raises(NotSentError) as caught:
        await create(smartcar)

    assert str(caught.value) == text
    assert {request.path for request in simulator.requests} == {TOKEN_PATH}
    assert len(simulator.requests) == 3
    assert DEMO_CLIENT_SECRET not in everything_said(caught.value)


async def test_token_endpoint_that_is_down_is_not_sent(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """Without a connection there is no token."""
    await simulator.stop()

    with pytest.raises(NotSentError, match="no connection to Smartcar"):
        await create(smartcar)


def test_token_is_waited_for_half_a_minute() -> None:
    """A token endpoint answers at once or is broken."""
    assert auth.TOKEN_TIMEOUT.total == 30


@pytest.mark.parametrize(
    "token",
    [
        "",
        "two words",
        "a\r\nX-Header: b",
        "a\n",
        "tökén",
        "a\x00",
        5,
        None,
        ["a"],
        REMOVED,
    ],
)
async def test_what_is_no_token_is_not_sent(
    simulator: Simulator, smartcar: SmartcarClient, token: object
) -> None:
    """What can not stand in a header is not a token."""
    simulator.always(Fault(merge={"access_token": token}), path=TOKEN_PATH)

    with pytest.raises(NotSentError, match="no access token: HTTP 200"):
        await create(smartcar)

    assert {request.path for request in simulator.requests} == {TOKEN_PATH}


@pytest.mark.parametrize(
    "token", ["", " ", "two words", "a\r\nX-Header: b", "a\n", "tökén", "a\x00"]
)
async def test_what_is_no_pasted_token_is_an_authentication_error(
    simulator: Simulator, session: aiohttp.ClientSession, token: str
) -> None:
    """What can not stand in a header was pasted wrongly, and is not sent."""
    with pytest.raises(AuthenticationError) as caught:
        await create(SmartcarClient(session, AccessToken(token)))

    assert str(caught.value) == "this can not be an access token"
    assert simulator.requests == []


async def test_auth_may_be_exchanged_at_any_time(
    simulator: Simulator, smartcar: SmartcarClient, session: aiohttp.ClientSession
) -> None:
    """New credentials serve the next command, on the same client."""
    simulator.revoke_tokens()
    smartcar.auth = AccessToken(simulator.issue_token())

    await create(smartcar)

    assert simulator.tokens_minted == []


def test_pasted_token_has_no_successor() -> None:
    """There is no way to renew a pasted token."""
    assert not AccessToken(TOKEN).discard(TOKEN)


async def test_reprs_hold_no_secret(
    simulator: Simulator, credentials: ClientCredentials
) -> None:
    """Whoever prints a token's owner sees its class."""
    await credentials.async_get_token()

    assert repr(AccessToken(TOKEN)) == "AccessToken()"
    assert repr(credentials) == "ClientCredentials()"


@pytest.mark.parametrize(
    "shape",
    [
        {
            "errors": [
                {"type": "VALIDATION", "code": TOKEN, "detail": f"bad token {TOKEN}"}
            ]
        },
        {"error": TOKEN},
        {"type": TOKEN, "description": TOKEN},
        {
            "errors": [
                {
                    "type": "UPSTREAM",
                    "title": "long " * 57 + TOKEN,
                    "meta": {"debug": {"requestId": TOKEN}},
                }
            ]
        },
    ],
)
@pytest.mark.parametrize("status", [200, 400, 500])
async def test_body_that_repeats_the_token_loses_it(
    simulator: Simulator,
    session: aiohttp.ClientSession,
    status: int,
    shape: dict[str, Any],
) -> None:
    """A server that shows the token back does not get it into an error."""
    simulator.script(Fault(status=status, body=shape))

    with pytest.raises(SmartcarError) as caught:
        await create(SmartcarClient(session, AccessToken(TOKEN)))

    assert simulator.creates[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in everything_said(caught.value)
    assert "***" in everything_said(caught.value)


async def test_status_that_repeats_the_token_loses_it(
    simulator: Simulator, session: aiohttp.ClientSession
) -> None:
    """The word for the status is shown too, and does not let the token out."""
    simulator.script(Fault(body={"data": {"attributes": {"status": {"value": TOKEN}}}}))

    with pytest.raises(UnconfirmedError) as caught:
        await create(SmartcarClient(session, AccessToken(TOKEN)))

    assert TOKEN not in everything_said(caught.value)
    assert str(caught.value) == "HTTP 200: the answer says '***'"


async def test_body_that_repeats_the_secret_loses_it(
    simulator: Simulator, credentials: ClientCredentials
) -> None:
    """A token endpoint that shows the secret back does not get it into an error."""
    simulator.script(
        Fault(
            status=401,
            body={
                "error": "invalid_client",
                "description": f"no {DEMO_CLIENT_SECRET}",
            },
        )
    )

    with pytest.raises(AuthenticationError) as caught:
        await credentials.async_get_token()

    assert DEMO_CLIENT_SECRET not in everything_said(caught.value)
    assert str(caught.value) == "invalid_client"


async def test_sentence_in_the_place_of_a_code_is_no_refusal(
    simulator: Simulator, credentials: ClientCredentials
) -> None:
    """It is not OAuth's, may say who and where, and is not for a log."""
    sentence = "no access to 36ab27d0 at 32.87,-117.22"
    simulator.script(Fault(status=401, body={"error": sentence}))

    with pytest.raises(NotSentError) as caught:
        await credentials.async_get_token()

    assert sentence not in caught.value.loggable


async def test_short_secret_does_not_spoil_the_answer(
    simulator: Simulator, session: aiohttp.ClientSession
) -> None:
    """Something so short is no secret, and taking it out would garble every answer."""
    simulator.applications["client_short"] = "access"
    smartcar = SmartcarClient(
        session, ClientCredentials(session, "client_short", "access")
    )

    assert (await create(smartcar)).status == "SUCCESS"


async def test_lost_connections_show_no_secret(
    serve: Serving, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing that aiohttp says of a broken exchange gives the token away."""
    garbage, silent = (
        await serve(sending(b"SSH-2.0-OpenSSH\r\n\r\n")),
        await serve(hanging_up()),
    )
    errors = []
    for url in (garbage.url, silent.url, "http://127.0.0.1:9"):
        monkeypatch.setattr(client, "API_URL", url)
        monkeypatch.setattr(client, "RETRY_DELAYS", ())
        with pytest.raises(SmartcarError) as caught:
            await create(SmartcarClient(session, AccessToken(TOKEN)))
        errors.append(caught.value)

    assert TOKEN in str(garbage.heads) + str(silent.heads)
    assert TOKEN not in "".join(map(everything_said, errors))
