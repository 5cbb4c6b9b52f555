"""One exchange: what can be said of it for certain, down to broken HTTP."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
import ssl
from typing import Any

import aiohttp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
import pytest

from custom_components.smartcar_charging.smartcar import (
    NotSentError,
    Transmission,
    UnconfirmedError,
    create_trace_config,
)
from custom_components.smartcar_charging.smartcar.conclusions import read_details
from custom_components.smartcar_charging.smartcar.transport import Answer, exchange
from tests.simulator import Cut, Fault, Simulator

from .conftest import RawServer, Serving, hanging_up, sending

type Exchange = Callable[..., Any]

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def send(session: aiohttp.ClientSession) -> Exchange:
    """Return how to make an exchange, with what all tests have in common."""

    async def send(url: str, method: str = "POST", *, limit: float = 30) -> Answer:
        """Exchange one request for an answer."""
        timeout = aiohttp.ClientTimeout(total=limit)
        return await exchange(
            session,
            method,
            url,
            timeout=timeout,
            secret="not in any of these bodies",
            transmission=Transmission(),
        )

    return send


@pytest.mark.parametrize(
    ("reply", "body"),
    [
        (WHOLE, {}),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE, {}),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + WHOLE, {}),
        (
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"1\r\n[\r\n1\r\n]\r\n0\r\n\r\n"
            ),
            [],
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n\xff\xfe\x80abc", None),
    ],
)
async def test_whole_answer_is_whole(
    send: Exchange, serve: Serving, reply: bytes, body: Any
) -> None:
    """An answer that came to its end is whole, whether it could be read or not."""
    server = await serve(sending(reply))

    answer = await send(server.url)

    assert answer == Answer(
        status=200,
        body=body,
        is_whole=True,
        sends=1,
        request_id=None,
        retry_after=None,
    )
    assert answer.is_ok


async def test_answer_that_ends_with_the_connection_is_whole(
    send: Exchange, serve: Serving
) -> None:
    """Old HTTP has no other way to end a body."""
    server = await serve(hanging_up(b"HTTP/1.0 200 OK\r\n\r\n{}"))

    assert (await send(server.url)).body == {}


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
        ),
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n"
        + b" " * 1024 * 1024
        + b"1",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + b" " * 2 * 1024 * 1024,
    ],
    ids=[
        "not_gzip",
        "not_gzip_chunks",
        "too_short",
        "no_last_chunk",
        "a_byte_too_large",
        "far_too_large",
    ],
)
async def test_answer_that_did_not_come_whole_has_no_body(
    send: Exchange, serve: Serving, reply: bytes
) -> None:
    """A body that was garbled, cut or too large is none; the status stays."""
    server = await serve(hanging_up(reply))

    assert await send(server.url) == Answer(
        status=200,
        body=None,
        is_whole=False,
        sends=1,
        request_id=None,
        retry_after=None,
    )


async def test_answer_that_stops_halfway_has_no_body(
    send: Exchange, serve: Serving
) -> None:
    """A body that is not there when the time is over is none; the status stays."""
    server = await serve(
        sending(
            b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"
        )
    )

    answer = await send(server.url, limit=0.3)

    assert answer == Answer(
        status=202,
        body=None,
        is_whole=False,
        sends=1,
        request_id=None,
        retry_after=None,
    )


async def test_largest_body_is_read(send: Exchange, serve: Serving) -> None:
    """One mebibyte is still read."""
    server = await serve(
        sending(
            b"HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n"
            + b" " * (1024 * 1024 - 1)
            + b"1"
        )
    )

    assert (await send(server.url)).body == 1


@pytest.mark.parametrize(
    "reply",
    [
        b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 20_000 + b"\r\n\r\n",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"\x00" * 100,
        b"HTTP/1.1 200",
        b"",
    ],
)
async def test_answer_that_is_not_http_is_unconfirmed(
    send: Exchange, serve: Serving, reply: bytes
) -> None:
    """A server that speaks something else was sent the request all the same."""
    server = await serve(hanging_up(reply))

    with pytest.raises(UnconfirmedError):
        await send(server.url)

    assert len(server.heads) == 1


async def test_lost_connection_is_unconfirmed(send: Exchange, serve: Serving) -> None:
    """A server that hangs up may have done what was asked."""
    server = await serve(hanging_up())

    with pytest.raises(
        UnconfirmedError,
        match="lost before an answer came \\(ServerDisconnectedError\\)",
    ):
        await send(server.url)

    assert len(server.heads) == 1


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_lost_connection_that_is_not_made_again_is_unconfirmed(
    send: Exchange, serve: Serving, method: str
) -> None:
    """A GET or DELETE is repeated by aiohttp: a port that refuses then is no proof."""
    server: RawServer

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Refuse all further connections, and hang up."""
        server.stop()

    server = await serve(answer)

    with pytest.raises(
        UnconfirmedError, match="lost before an answer came \\(ClientConnectorError\\)"
    ):
        await send(server.url, method)

    assert len(server.heads) == 1


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_repetition_by_aiohttp_is_counted(
    send: Exchange, simulator: Simulator, method: str
) -> None:
    """A GET or DELETE whose connection breaks is sent once more, and that is known."""
    simulator.script(Fault(cut=Cut.BEFORE_ANSWER))

    assert (await send(simulator.url, method)).sends == 2
    assert (await send(simulator.url, method)).sends == 1


async def test_session_closed_while_connecting_is_not_sent(
    session: aiohttp.ClientSession, send: Exchange, simulator: Simulator
) -> None:
    """Nothing went out on a connection that was never there."""
    connector = session.connector
    assert connector is not None
    await connector.close()

    with pytest.raises(NotSentError, match="ClientConnectionError|closing"):
        await send(simulator.url)

    assert simulator.requests == []


@pytest.mark.parametrize("limit", ["total", "connect", "sock_connect"])
async def test_time_out_while_connecting_is_not_sent(
    session: aiohttp.ClientSession, limit: str
) -> None:
    """A server that never answers in TLS is never sent anything."""
    silent = await asyncio.start_server(stay_silent, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]

    with pytest.raises(NotSentError, match="no connection to Smartcar"):
        await exchange(
            session,
            "POST",
            f"https://127.0.0.1:{port}",
            timeout=aiohttp.ClientTimeout(**{limit: 0.1}),
            secret="",
            transmission=Transmission(),
        )
    silent.close()


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_session_detached_meanwhile_is_unconfirmed(
    session: aiohttp.ClientSession, send: Exchange, serve: Serving, method: str
) -> None:
    """Home Assistant detaches its sessions when it stops; aiohttp may try to repeat."""

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Take the session its connections, and hang up."""
        session.detach()

    server = await serve(answer)

    with pytest.raises(UnconfirmedError, match="lost before an answer came"):
        await send(server.url, method)


async def test_silence_is_unconfirmed(send: Exchange, serve: Serving) -> None:
    """A server that never answers may have done what was asked."""
    server = await serve(sending(b""))

    with pytest.raises(UnconfirmedError, match="no answer within the time limit"):
        await send(server.url, limit=0.2)


async def test_refused_connection_is_not_sent(send: Exchange, serve: Serving) -> None:
    """A port where nobody listens proves that nothing was sent."""
    server = await serve(hanging_up())
    server.stop()

    with pytest.raises(NotSentError, match="ClientConnectorError"):
        await send(server.url)


@pytest.mark.parametrize("url", ["http://", "http:///v3", "not an address"])
async def test_address_that_is_none_is_not_sent(send: Exchange, url: str) -> None:
    """Without an address there is nobody to send anything to."""
    with pytest.raises(NotSentError, match="InvalidUrl"):
        await send(url)


async def test_unknown_certificate_is_not_sent(
    send: Exchange, serve: Serving, tmp_path: Path
) -> None:
    """Nothing is sent to a server that can not prove who it is."""
    server = await serve(sending(WHOLE), self_signed(tmp_path))

    with pytest.raises(NotSentError, match="ClientConnectorCertificateError"):
        await send(server.url.replace("http:", "https:"))

    assert server.heads == []


async def test_closed_session_is_not_sent(
    session: aiohttp.ClientSession, send: Exchange, simulator: Simulator
) -> None:
    """A session that Home Assistant closed while stopping sends nothing."""
    await session.close()

    with pytest.raises(NotSentError, match="closing its connections"):
        await send(simulator.url)

    assert simulator.requests == []


async def test_middleware_of_the_session_is_not_asked(serve: Serving) -> None:
    """What a session does about redirects can not turn an answer into an error."""

    async def fail(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Trip over an answer."""
        raise ValueError(await handler(request))

    server = await serve(
        sending(
            b"HTTP/1.1 302 Found\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n"
        )
    )
    async with aiohttp.ClientSession(
        middlewares=(fail,), trace_configs=[create_trace_config()]
    ) as session:
        answer = await exchange(
            session,
            "POST",
            server.url,
            timeout=aiohttp.ClientTimeout(total=5),
            secret="",
            transmission=Transmission(),
        )

    assert answer.status == 302
    assert not answer.is_ok


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("60", 60),
        ("999999999", 999999999),
        (" 5 ", 5),
        ("1000000000", None),
        ("-1", None),
        ("1e3", None),
    ],
)
async def test_retry_after_is_read_in_seconds(
    send: Exchange, simulator: Simulator, header: str, seconds: float | None
) -> None:
    """Whole seconds are a promise to rely on, and nothing else is."""
    simulator.script(Fault(status=429, headers={"Retry-After": header}))

    answer = await send(simulator.url)

    assert answer.retry_after == seconds


async def test_request_id_is_from_the_header(
    send: Exchange, simulator: Simulator
) -> None:
    """The header's id goes before the body's."""
    body = {
        "errors": [
            {"type": "BILLING", "meta": {"debug": {"requestId": "from the body"}}}
        ]
    }
    simulator.script(
        Fault(status=430, body=body, headers={"SC-Request-Id": "from the header"})
    )

    answer = await send(simulator.url)

    details = read_details(answer)
    assert details is not None
    assert answer.request_id == details.request_id == "from the header"


async def test_garbled_request_id_can_be_written(
    send: Exchange, serve: Serving
) -> None:
    """Bytes that are no text become something that a file takes."""
    server = await serve(
        sending(
            b"HTTP/1.1 200 OK\r\nSC-Request-Id: \xffid\r\nContent-Length: 2\r\n\r\n{}"
        )
    )

    assert (await send(server.url)).request_id == "?id"


async def stay_silent(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Say nothing until the other side is gone."""
    await reader.read()
    writer.close()


def self_signed(folder: Path) -> ssl.SSLContext:
    """Return a server's TLS with a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(
            issuer_name=name,
            subject_name=name,
            public_key=key.public_key(),
            serial_number=1,
        )
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context
