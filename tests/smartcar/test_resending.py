"""Sending again: only what provably was not executed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from custom_components.smartcar_charging.smartcar import (
    AccessToken,
    AuthenticationError,
    ClientCredentials,
    Execution,
    GoneError,
    NotSentError,
    RefusedError,
    SmartcarClient,
    SmartcarError,
    Transmission,
    UnconfirmedError,
    auth,
    client,
    create_trace_config,
)
from tests.simulator import (
    DEMO_CLIENT_ID,
    DEMO_CLIENT_SECRET,
    TESLA,
    Cut,
    Fault,
    ReceivedRequest,
    Simulator,
)

from .conftest import TOKEN_PATH, Clock, Resolver, create, delete, nothing

LIMITED = ("RATE_LIMIT", "SMARTCAR_API")


def is_about_schedules(request: ReceivedRequest) -> bool:
    """Whether a request is a command."""
    return "/charge-schedules/" in request.path


@pytest.fixture
def paused(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Let the client's pauses last for ever, and tell when one begins."""
    begun = asyncio.Event()

    async def sleep(seconds: float) -> None:
        """Begin a pause."""
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(client, "asyncio", SimpleNamespace(sleep=sleep))
    return begun


def limited(retry_after: str) -> Fault:
    """Answer that there were too many requests, and when there may be more."""
    return Fault.error(429, *LIMITED, headers={"Retry-After": retry_after})


@pytest.fixture
def resolver() -> Resolver:
    """Find the simulator by name; tests put in what happens meanwhile."""
    return Resolver(nothing, nothing, nothing)


@pytest.fixture
async def by_name(
    simulator: Simulator, resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SmartcarClient]:
    """Return a client that looks its server's name up for each connection."""
    monkeypatch.setattr(client, "API_URL", f"http://smartcar.test:{simulator.port}/v3")
    monkeypatch.setattr(
        auth, "TOKEN_URL", f"http://smartcar.test:{simulator.port}/oauth2/token"
    )
    connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False)
    async with aiohttp.ClientSession(
        connector=connector, trace_configs=[create_trace_config()]
    ) as session:
        yield SmartcarClient(session, AccessToken(simulator.issue_token()))


def test_pauses_are_short() -> None:
    """A connection is tried three times, and a limit waited for within a minute."""
    assert client.RETRY_DELAYS == (1.0, 4.0)
    assert client.MAX_RETRY_AFTER == 60


async def test_refused_connection_is_tried_three_times(
    simulator: Simulator,
    by_name: SmartcarClient,
    resolver: Resolver,
    slept: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A port that refuses gets two more tries, each after its pause."""
    monkeypatch.setattr(client, "RETRY_DELAYS", (1.0, 4.0))
    await simulator.stop()

    with pytest.raises(
        NotSentError, match="no connection to Smartcar \\(ClientConnectorError\\)"
    ):
        await create(by_name)

    assert resolver.look_ups == 3
    assert slept == [1.0, 4.0]


async def test_server_that_comes_back_is_reached(
    simulator: Simulator, by_name: SmartcarClient, resolver: Resolver
) -> None:
    """The third try succeeds, and the command was received once."""
    resolver.steps = (nothing, nothing, simulator.start)
    await simulator.stop()

    assert (await create(by_name)).status == "SUCCESS"
    assert len(simulator.creates) == 1


async def test_unknown_name_is_not_sent(
    by_name: SmartcarClient, resolver: Resolver
) -> None:
    """A name that can not be resolved proves that nothing was sent."""

    async def fail() -> None:
        """Find no such name."""
        raise OSError("no such name")

    resolver.steps = (fail, fail, fail)

    with pytest.raises(NotSentError, match="ClientConnectorDNSError"):
        await create(by_name)

    assert resolver.look_ups == 3


async def test_failed_tls_is_not_sent(
    simulator: Simulator, pasted: SmartcarClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is sent to a server that does not speak TLS."""
    monkeypatch.setattr(client, "API_URL", f"https://127.0.0.1:{simulator.port}/v3")

    with pytest.raises(NotSentError, match="ClientConnectorSSLError"):
        await create(pasted)

    assert simulator.requests == []


async def test_token_that_could_not_be_minted_is_asked_for_again(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """Without a token nothing was sent, so the command may still go."""
    simulator.script(
        Fault(status=503), Fault(cut=Cut.BEFORE_ANSWER), path="/oauth2/token"
    )

    assert (await create(smartcar)).status == "SUCCESS"
    assert len(simulator.received(path="/oauth2/token")) == 3
    assert len(simulator.creates) == 1


async def test_expired_token_is_replaced_once(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """A 401 before its time costs one new token, and the command goes through."""
    await create(smartcar)
    simulator.revoke_tokens()

    assert (await create(smartcar)).status == "SUCCESS"
    assert len(simulator.tokens_minted) == 2
    assert [request.headers["Authorization"] for request in simulator.creates] == [
        f"Bearer {simulator.tokens_minted[0]}",
        f"Bearer {simulator.tokens_minted[0]}",
        f"Bearer {simulator.tokens_minted[1]}",
    ]


async def test_lasting_401_is_an_authentication_error(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """A new token that is rejected too ends it."""
    simulator.always(Fault.error(401, "AUTHENTICATION", "UNAUTHORIZED"), path="/daily")

    with pytest.raises(AuthenticationError):
        await create(smartcar)

    assert len(simulator.creates) == 2
    assert len(simulator.tokens_minted) == 2


async def test_commands_at_once_share_the_new_token(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """Two commands that meet the same dead token replace it once."""
    await smartcar.async_check_credentials()
    simulator.revoke_tokens()

    await asyncio.gather(create(smartcar), create(smartcar))

    assert len(simulator.tokens_minted) == 2
    assert len(simulator.schedules(TESLA.vehicle_id)) == 2


async def test_pasted_token_is_not_tried_again(
    simulator: Simulator, pasted: SmartcarClient
) -> None:
    """There is no other token to try."""
    simulator.revoke_tokens()

    with pytest.raises(AuthenticationError, match="AUTHENTICATION/UNAUTHORIZED"):
        await create(pasted)

    assert len(simulator.requests) == 1


async def test_pasted_token_expires_within_the_hour(
    simulator: Simulator, clock: Clock, session: aiohttp.ClientSession
) -> None:
    """A pasted token works until it does not."""
    pasted = SmartcarClient(session, AccessToken(simulator.issue_token()))
    await create(pasted)
    clock.now += 3600

    with pytest.raises(AuthenticationError):
        await create(pasted)


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        (Fault.error(403, "AUTHENTICATION", "ACCESS_DENIED"), AuthenticationError),
        (Fault.error(401, "PERMISSION"), RefusedError),
        (Fault.error(401, "UPSTREAM"), UnconfirmedError),
    ],
)
async def test_only_a_401_about_the_token_is_sent_again(
    simulator: Simulator,
    smartcar: SmartcarClient,
    fault: Fault,
    raised: type[SmartcarError],
) -> None:
    """Other refusals are not about the token's age."""
    simulator.script(fault, path="/daily")

    with pytest.raises(raised) as caught:
        await create(smartcar)

    assert type(caught.value) is raised
    assert len(simulator.creates) == 1
    assert len(simulator.tokens_minted) == 1


@pytest.mark.parametrize("retry_after", ["0", "1", "60", " 7 "])
async def test_short_limit_is_waited_for_once(
    simulator: Simulator, pasted: SmartcarClient, slept: list[float], retry_after: str
) -> None:
    """A 429 was not executed; up to a minute is waited, as long as Smartcar says."""
    simulator.script(limited(retry_after))

    assert (await create(pasted)).status == "SUCCESS"
    assert slept == [float(retry_after)]
    assert len(simulator.creates) == 2


async def test_pause_of_a_limit_is_a_real_one(
    simulator: Simulator, pasted: SmartcarClient
) -> None:
    """The pause works without help."""
    simulator.script(limited("0"))

    assert (await create(pasted)).status == "SUCCESS"


async def test_second_limit_is_a_refusal(
    simulator: Simulator, pasted: SmartcarClient
) -> None:
    """A limit is waited for once."""
    simulator.always(limited("0"))

    with pytest.raises(RefusedError, match="RATE_LIMIT/SMARTCAR_API") as caught:
        await create(pasted)

    assert caught.value.details.retry_after == 0
    assert len(simulator.creates) == 2


@pytest.mark.parametrize(
    "body", [None, "<html>", {"message": "slow down"}, {"error": "too many"}]
)
async def test_gateways_429_is_not_waited_for(
    simulator: Simulator, pasted: SmartcarClient, body: Any
) -> None:
    """It proves nothing, so the command is not sent again."""
    fault = Fault(status=429, body=body, headers={"Retry-After": "0"}, executes=True)
    simulator.script(fault)

    with pytest.raises(UnconfirmedError):
        await create(pasted)

    assert len(simulator.creates) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        *(
            {"Retry-After": value}
            for value in (
                "61",
                "3600",
                "-1",
                "1.5",
                "",
                "soon",
                "Wed, 21 Oct 2026 07:28:00 GMT",
                "²",
                "9" * 10,
            )
        ),
    ],
)
async def test_long_or_unclear_limit_is_not_waited_for(
    simulator: Simulator,
    pasted: SmartcarClient,
    slept: list[float],
    headers: dict[str, str],
) -> None:
    """More than a minute, a date, or no number: the user decides when."""
    simulator.script(Fault.error(429, *LIMITED, headers=headers))

    with pytest.raises(RefusedError, match="RATE_LIMIT"):
        await create(pasted)

    assert len(simulator.creates) == 1
    assert slept == []


@pytest.mark.parametrize(
    ("status", "error_type", "raised"),
    [
        (409, "VEHICLE_STATE", RefusedError),
        (400, "RATE_LIMIT", RefusedError),
        (429, "UPSTREAM", UnconfirmedError),
        (429, "BILLING", RefusedError),
        (430, "BILLING", RefusedError),
        (503, "OTHER", UnconfirmedError),
    ],
)
async def test_only_a_429_about_a_limit_is_sent_again(
    simulator: Simulator,
    pasted: SmartcarClient,
    status: int,
    error_type: str,
    raised: type[SmartcarError],
) -> None:
    """A Retry-After on any other error invites nobody."""
    simulator.script(Fault.error(status, error_type, headers={"Retry-After": "0"}))

    with pytest.raises(raised) as caught:
        await create(pasted)

    assert type(caught.value) is raised
    assert len(simulator.creates) == 1


async def test_each_reason_counts_for_itself(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """A new token and a waited limit can both happen to one command."""
    simulator.script(
        Fault.error(401, "AUTHENTICATION"),
        limited("0"),
        Fault.error(401, "AUTHENTICATION"),
        path="/daily",
    )

    with pytest.raises(AuthenticationError):
        await create(smartcar)

    assert len(simulator.creates) == 3
    assert simulator.schedules(TESLA.vehicle_id) == []


async def test_second_try_that_is_cut_is_unconfirmed(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """What was refused first and then not heard is unconfirmed, and not sent again."""
    simulator.script(
        Fault.error(401, "AUTHENTICATION"), Fault(cut=Cut.BEFORE_ANSWER), path="/daily"
    )

    with pytest.raises(UnconfirmedError):
        await create(smartcar)

    assert len(simulator.creates) == 2
    assert len(simulator.schedules(TESLA.vehicle_id)) == 1


async def test_cut_delete_is_repeated_by_aiohttp_alone(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """The second answer says that there is no such schedule any more."""
    schedule_id = (await create(smartcar)).schedule_id or ""
    simulator.script(Fault(cut=Cut.BEFORE_ANSWER), method="DELETE")

    with pytest.raises(GoneError):
        await delete(smartcar, schedule_id)

    assert len(simulator.deletes) == 2


@pytest.mark.parametrize(
    "second",
    [
        Fault.error(401, "AUTHENTICATION"),
        Fault(status=401),
        Fault.error(403, "PERMISSION"),
        Fault.error(409, "VEHICLE_STATE", "ASLEEP"),
        limited("0"),
        limited("3600"),
    ],
)
async def test_refusal_of_a_repetition_proves_nothing_and_ends_it(
    simulator: Simulator, smartcar: SmartcarClient, second: Fault
) -> None:
    """The first was carried out: neither is it failed, nor sent a third time."""
    schedule_id = (await create(smartcar)).schedule_id or ""
    cut = Fault(cut=Cut.BEFORE_ANSWER)
    simulator.script(cut, second, method="DELETE")

    with pytest.raises(UnconfirmedError):
        await delete(smartcar, schedule_id)

    assert simulator.schedules(TESLA.vehicle_id) == []
    assert len(simulator.deletes) == 2


async def test_repetition_after_a_refusal_is_judged_by_itself(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """A rejected token is no open sending: the next one may be refused for certain."""
    schedule_id = (await create(smartcar)).schedule_id or ""
    simulator.script(
        Fault.error(401, "AUTHENTICATION"),
        Fault.error(409, "VEHICLE_STATE"),
        method="DELETE",
    )

    with pytest.raises(RefusedError, match="VEHICLE_STATE"):
        await delete(smartcar, schedule_id)

    assert len(simulator.deletes) == 2


# Credentials that are exchanged meanwhile


async def test_rejection_of_exchanged_credentials_does_not_fail_the_command(
    simulator: Simulator, pasted: SmartcarClient
) -> None:
    """It is about the token that was used, and another is in use by then."""
    held = asyncio.Event()
    rejected = Fault.error(401, "AUTHENTICATION")
    simulator.script(replace(rejected, hold=held), path="/daily")
    command = asyncio.create_task(create(pasted))
    await simulator.wait_for_request(path="/daily")

    pasted.auth = AccessToken(simulator.issue_token())
    held.set()

    assert (await command).status == "SUCCESS"
    assert len(simulator.creates) == 2


async def test_late_refusal_of_exchanged_client_credentials_does_not_fail_the_command(
    simulator: Simulator, session: aiohttp.ClientSession
) -> None:
    """The old secret is rejected only after the new one came."""
    held = asyncio.Event()
    refused = Fault(status=401, body={"error": "invalid_client"}, hold=held)
    simulator.script(refused, path=TOKEN_PATH)
    old = ClientCredentials(session, DEMO_CLIENT_ID, "the old secret")
    smartcar = SmartcarClient(session, old)
    command = asyncio.create_task(create(smartcar))
    await simulator.wait_for_request(path=TOKEN_PATH)

    smartcar.auth = ClientCredentials(session, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET)
    held.set()

    assert (await command).status == "SUCCESS"
    assert len(simulator.creates) == 1


async def test_new_credentials_may_renew_their_own_token(
    simulator: Simulator, smartcar: SmartcarClient, session: aiohttp.ClientSession
) -> None:
    """The one new token of the old ones does not count for them."""
    expired = Fault.error(401, "AUTHENTICATION")
    held = asyncio.Event()
    simulator.script(expired, replace(expired, hold=held), expired, path="/daily")
    command = asyncio.create_task(create(smartcar))
    await simulator.wait_for_request(2, path="/daily")

    smartcar.auth = ClientCredentials(session, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET)
    held.set()

    assert (await command).status == "SUCCESS"
    assert len(simulator.creates) == 4


async def test_rejection_names_the_credentials_that_were_used(
    simulator: Simulator, pasted: SmartcarClient
) -> None:
    """So that it can be told whether they are still in use."""
    used = pasted.auth
    held = asyncio.Event()
    denied = Fault.error(403, "AUTHENTICATION", "ACCESS_DENIED")
    simulator.script(replace(denied, hold=held))
    command = asyncio.create_task(create(pasted))
    await simulator.wait_for_request()

    pasted.auth = AccessToken(simulator.issue_token())
    held.set()

    with pytest.raises(AuthenticationError) as caught:
        await command
    assert caught.value.auth is used


async def test_rejected_client_credentials_are_named_too(
    simulator: Simulator, session: aiohttp.ClientSession
) -> None:
    """They got no token at all."""
    credentials = ClientCredentials(session, "client_unknown", DEMO_CLIENT_SECRET)

    with pytest.raises(AuthenticationError) as caught:
        await create(SmartcarClient(session, credentials))

    assert caught.value.auth is credentials


# What is out when a command is cut off


async def cancelled(command: asyncio.Task[Execution]) -> None:
    """Cancel a command, as a stop does, and wait for its end."""
    command.cancel()
    with pytest.raises(asyncio.CancelledError):
        await command


@pytest.mark.parametrize("is_delete", [False, True])
async def test_command_that_waits_for_its_answer_is_out(
    simulator: Simulator, smartcar: SmartcarClient, is_delete: bool
) -> None:
    """Nobody knows what becomes of it."""
    simulator.always(Fault(hold=asyncio.Event()), path=is_about_schedules)
    transmission = Transmission()
    sending = {
        False: lambda: create(smartcar, transmission=transmission),
        True: lambda: delete(smartcar, "sched_1", transmission=transmission),
    }
    command = asyncio.create_task(sending[is_delete]())
    await simulator.wait_for_request(path=is_about_schedules)

    await cancelled(command)

    assert transmission.is_open
    assert transmission.sends == 1


async def test_command_that_waits_for_a_token_is_not_out(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """A stop while a token is minted proves that nothing was sent."""
    simulator.always(Fault(hold=asyncio.Event()), path=TOKEN_PATH)
    transmission = Transmission()
    command = asyncio.create_task(create(smartcar, transmission=transmission))
    await simulator.wait_for_request(path=TOKEN_PATH)

    await cancelled(command)

    assert not transmission.is_open


async def test_command_in_a_pause_between_connections_is_not_out(
    simulator: Simulator, pasted: SmartcarClient, paused: asyncio.Event
) -> None:
    """Restarting because the internet is down is what people do."""
    await simulator.stop()
    transmission = Transmission()
    command = asyncio.create_task(create(pasted, transmission=transmission))
    await paused.wait()

    await cancelled(command)

    assert not transmission.is_open


async def test_command_that_connects_is_not_out(
    by_name: SmartcarClient, resolver: Resolver
) -> None:
    """Nothing is written before there is a connection."""
    connecting = asyncio.Event()

    async def hang() -> None:
        """Find nothing, for ever."""
        connecting.set()
        await asyncio.Event().wait()

    resolver.steps = (hang,)
    transmission = Transmission()
    command = asyncio.create_task(create(by_name, transmission=transmission))
    await connecting.wait()

    await cancelled(command)

    assert not transmission.is_open


async def test_command_that_waits_for_a_limit_is_not_out(
    simulator: Simulator, pasted: SmartcarClient, paused: asyncio.Event
) -> None:
    """It was sent, and provably refused."""
    simulator.always(limited("60"))
    transmission = Transmission()
    command = asyncio.create_task(create(pasted, transmission=transmission))
    await paused.wait()

    await cancelled(command)

    assert not transmission.is_open
    assert len(simulator.creates) == 1


async def test_command_whose_token_was_rejected_is_not_out(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """It was sent, and provably refused; the next token is on its way."""
    await smartcar.async_check_credentials()
    simulator.revoke_tokens()
    simulator.always(Fault(hold=asyncio.Event()), path=TOKEN_PATH)
    transmission = Transmission()
    command = asyncio.create_task(create(smartcar, transmission=transmission))
    await simulator.wait_for_request(2, path=TOKEN_PATH)

    await cancelled(command)

    assert not transmission.is_open
    assert len(simulator.creates) == 1


async def test_command_that_was_sent_again_is_out(
    simulator: Simulator, smartcar: SmartcarClient
) -> None:
    """The first sending was refused, and of the second nobody knows."""
    expired = Fault.error(401, "AUTHENTICATION")
    simulator.script(expired, Fault(hold=asyncio.Event()), path="/daily")
    transmission = Transmission()
    command = asyncio.create_task(create(smartcar, transmission=transmission))
    await simulator.wait_for_request(2, path="/daily")

    await cancelled(command)

    assert transmission.sends == 1
