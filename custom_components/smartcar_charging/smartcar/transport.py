"""One HTTP exchange with Smartcar, and what can be said of it for certain."""

from dataclasses import dataclass
import json
import re
from typing import Any, Final

import aiohttp

from .errors import ErrorDetails, NotSentError, UnconfirmedError, read_error
from .reading import as_text

_LARGEST_BODY: Final = 1024 * 1024
_SECONDS: Final = re.compile(r"[0-9]{1,9}")
_SHORTEST_SECRET: Final = 8

# With these, the try that raised them never had a connection to send anything on.
_NEVER_CONNECTED: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came back: the status always, the rest as far as it came and could be read."""

    status: int
    body: Any
    is_whole: bool
    request_id: str | None
    retry_after: float | None

    @property
    def is_ok(self) -> bool:
        """Whether the status line says that the request was accepted."""
        return 200 <= self.status < 300

    @property
    def error(self) -> ErrorDetails | None:
        """The error that this answer is or carries; None for a 2xx without one."""
        return read_error(
            self.body,
            http_status=self.status,
            request_id=self.request_id,
            retry_after=self.retry_after,
        )


class _Tries:
    """Counts how often aiohttp sends: a GET or DELETE whose connection breaks, it sends once more by itself."""

    def __init__(self) -> None:
        """Begin with none."""
        self.count = 0

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Count, and send."""
        self.count += 1
        return await handler(request)


async def exchange(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    *,
    timeout: aiohttp.ClientTimeout,
    secret: str,
    **request: Any,
) -> Answer:
    """Send one request and read its answer to the end; raise NotSentError or UnconfirmedError."""
    if session.closed:
        raise NotSentError("Home Assistant is closing its connections")
    tries = _Tries()
    try:
        async with session.request(
            method,
            url,
            timeout=timeout,
            allow_redirects=False,
            middlewares=(tries,),
            **request,
        ) as response:
            content = await _async_read(response)
            return Answer(
                status=response.status,
                body=None if content is None else _parse(content, secret),
                is_whole=content is not None,
                request_id=as_text(response.headers.get("SC-Request-Id")),
                retry_after=_seconds(response.headers.get("Retry-After")),
            )
    except _NEVER_CONNECTED as err:
        if tries.count > 1:
            raise UnconfirmedError(
                f"the connection was lost, and not made again ({type(err).__name__})"
            ) from err
        raise NotSentError(f"no connection to Smartcar ({type(err).__name__})") from err
    except TimeoutError as err:
        raise UnconfirmedError("no answer within the time limit") from err
    except aiohttp.ClientResponseError as err:
        # It keeps the request's headers, and with them the token: no error of ours may lead to it.
        reason = type(err).__name__
    except (aiohttp.ClientError, OSError) as err:
        raise UnconfirmedError(
            f"the connection was lost before an answer came ({type(err).__name__})"
        ) from err
    raise UnconfirmedError(f"the answer could not be read ({reason})")


async def _async_read(response: aiohttp.ClientResponse) -> bytes | None:
    """Return the body, or None where it did not come whole."""
    content = bytearray()
    try:
        async for chunk in response.content.iter_any():
            content += chunk
            if len(content) > _LARGEST_BODY:
                return None
    except aiohttp.ClientError, TimeoutError, OSError:
        return None
    return bytes(content)


def _parse(content: bytes, secret: str) -> Any:
    """Return the JSON value; a body that repeats the secret loses it here, before anyone can show it."""
    if len(secret) >= _SHORTEST_SECRET:
        content = content.replace(secret.encode(), b"***")
    try:
        return json.loads(content)
    except ValueError, RecursionError:
        return None


def _seconds(value: str | None) -> float | None:
    """Read a delay in whole seconds; a date, or anything else, is no promise to rely on."""
    return (
        float(value)
        if value is not None and _SECONDS.fullmatch(value.strip())
        else None
    )
