"""One HTTP exchange with Smartcar, and what can be said of it for certain."""

from dataclasses import dataclass
import json
import re
from types import SimpleNamespace
from typing import Any, Final

import aiohttp

from .errors import NotSentError, UnconfirmedError
from .masking import mask_json, mask_text
from .reading import as_text

MAX_BODY_BYTES: Final = 1024 * 1024

_SECONDS: Final = re.compile(r"[0-9]{1,9}")


@dataclass(eq=False, slots=True)
class Transmission:
    """How often a request went out since the last answer that proved a refusal.

    The owner of a command passes one along, and reads it where the command is cut
    off; at the end of an exchange, it is how often aiohttp sent within it.
    """

    sends: int = 0

    @property
    def is_open(self) -> bool:
        """Whether a request is out whose outcome is unknown."""
        return self.sends > 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came back of an exchange.

    `body` is the JSON value, None where it is none or did not come whole; `sends`
    is above one where aiohttp repeated the request by itself; `retry_after` is in
    seconds.
    """

    status: int
    body: Any
    is_whole: bool
    sends: int
    request_id: str | None
    retry_after: float | None

    @property
    def is_ok(self) -> bool:
        """Whether the status line says that the request was accepted."""
        return 200 <= self.status < 300


async def _count_sending(
    session: aiohttp.ClientSession,
    context: SimpleNamespace,
    params: aiohttp.TraceRequestHeadersSentParams,
) -> None:
    """Count a request of ours, just before its first byte is written."""
    transmission = context.trace_request_ctx
    if isinstance(transmission, Transmission):
        transmission.sends += 1


def create_trace_config() -> aiohttp.TraceConfig:
    """Return what a session needs so that it is known whether a request went out."""
    trace_config = aiohttp.TraceConfig()
    trace_config.on_request_headers_sent.append(_count_sending)
    return trace_config


def check_session(session: aiohttp.ClientSession) -> None:
    """Raise ValueError if the session does not count sendings, or counts them twice."""
    found = 0
    for trace_config in session.trace_configs:
        if _count_sending in trace_config.on_request_headers_sent:
            found += 1
    if found != 1:
        raise ValueError("the session needs one trace config of create_trace_config()")


async def exchange(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    *,
    timeout: aiohttp.ClientTimeout,
    secret: str,
    transmission: Transmission,
    **request: Any,
) -> Answer:
    """Send one request and read its answer to the end, without the secret in it.

    Raises NotSentError if nothing was sent, else UnconfirmedError without an answer.
    """
    if session.closed:
        raise NotSentError("Home Assistant is closing its connections")
    try:
        async with session.request(
            method,
            url,
            timeout=timeout,
            allow_redirects=False,
            # Those of the session are for redirects, and could raise their own errors.
            middlewares=(),
            trace_request_ctx=transmission,
            **request,
        ) as response:
            content = await _async_read(response)
            request_id = response.headers.get("SC-Request-Id", "")
            retry_after = response.headers.get("Retry-After", "")
            return Answer(
                status=response.status,
                body=_parse(content, secret),
                is_whole=content is not None,
                sends=transmission.sends,
                request_id=as_text(mask_text(request_id, secret)),
                retry_after=_seconds(retry_after),
            )
    except aiohttp.ClientResponseError as err:
        # It keeps the request's headers, and with them the token: no error of ours
        # may lead to it.
        reason = type(err)
    # An assertion fails where aiohttp repeats on a session that was detached meanwhile.
    except (aiohttp.ClientError, AssertionError, OSError) as err:
        raise _error_without_answer(transmission, type(err)) from err
    raise _error_without_answer(transmission, reason)


def _error_without_answer(
    transmission: Transmission, reason: type[Exception]
) -> NotSentError | UnconfirmedError:
    """Return what it means that an exchange ended with an exception of this type."""
    if not transmission.is_open:
        return NotSentError(f"no connection to Smartcar ({reason.__name__})")
    if issubclass(reason, TimeoutError):
        return UnconfirmedError("no answer within the time limit")
    if issubclass(reason, aiohttp.ClientResponseError):
        return UnconfirmedError(f"the answer could not be read ({reason.__name__})")
    return UnconfirmedError(
        f"the connection was lost before an answer came ({reason.__name__})"
    )


async def _async_read(response: aiohttp.ClientResponse) -> bytes | None:
    """Return the body, or None where it did not come whole."""
    content = bytearray()
    try:
        async for chunk in response.content.iter_any():
            content += chunk
            if len(content) > MAX_BODY_BYTES:
                return None
    except aiohttp.ClientError, OSError:
        return None
    return bytes(content)


def _parse(content: bytes | None, secret: str) -> Any:
    """Return the JSON value without the secret, or None if there is no JSON."""
    if content is None:
        return None
    try:
        value = json.loads(content)
    except ValueError, RecursionError:
        return None
    return mask_json(value, secret)


def _seconds(value: str) -> float | None:
    """Read a delay in whole seconds; a date or anything else is none to rely on."""
    text = value.strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    return None
