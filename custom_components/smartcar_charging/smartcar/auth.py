"""Where a bearer token comes from: a pasted one, or client credentials that mint one."""

import asyncio
from dataclasses import dataclass, field
import re
import time
from typing import Any, Final, Protocol, override

import aiohttp

from .errors import AuthenticationError, NotSentError, SmartcarError, UnconfirmedError
from .reading import as_mapping, as_number
from .transport import Answer, exchange

TOKEN_URL: Final = "https://iam.smartcar.com/oauth2/token"  # noqa: S105  # an address, not a secret

_DOCUMENTED_LIFETIME: Final = 3600.0
_NEVER_IN_ITS_LAST: Final = 60.0
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
_TIMEOUT: Final = aiohttp.ClientTimeout(total=30)


class Auth(Protocol):
    """Gives the bearer token for a request."""

    async def async_get_token(self) -> str:
        """Return a token; raise AuthenticationError or NotSentError."""

    def discard(self, token: str) -> bool:
        """Forget a token that was rejected; return whether another one can be had."""

    @property
    def token_age(self) -> float | None:
        """How long ago the present token was minted, in seconds; None if that is unknown."""


def is_token(value: Any) -> bool:
    """Whether this can stand in an Authorization header."""
    return isinstance(value, str) and _TOKEN.fullmatch(value) is not None


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token pasted by the user: Smartcar's last one hour, and there is no way to renew one."""

    token: str = field(repr=False)

    async def async_get_token(self) -> str:
        """Return the pasted token."""
        if not is_token(self.token):
            raise AuthenticationError("this can not be an access token")
        return self.token

    def discard(self, token: str) -> bool:
        """Say that there is no other token."""
        return False

    @property
    def token_age(self) -> None:
        """Nobody told when it was minted."""
        return None


class ClientCredentials:
    """Mints tokens with a client id and secret; one token serves everybody until shortly before it expires.

    Follows https://smartcar.com/docs/getting-started/how-to/api-authentication: a form post of
    `grant_type=client_credentials`, answered by `access_token` and `expires_in` (seconds).
    """

    def __init__(
        self, session: aiohttp.ClientSession, client_id: str, client_secret: str
    ) -> None:
        """Take the credentials; nothing is sent before a token is needed."""
        self._session = session
        self._client_id = client_id
        self._client_secret = client_secret
        self._token: str | None = None
        self._minted_at = self._usable_until = 0.0
        self._lock = asyncio.Lock()

    @override
    def __repr__(self) -> str:
        """Name the class only."""
        return f"{type(self).__name__}()"

    async def async_get_token(self) -> str:
        """Return the present token, or mint one; raise AuthenticationError or NotSentError."""
        async with self._lock:
            if self._token is None or time.monotonic() >= self._usable_until:
                self._token = await self._async_mint()
            return self._token

    def discard(self, token: str) -> bool:
        """Forget a rejected token, unless it was already replaced."""
        if token == self._token:
            self._token = None
        return True

    @property
    def token_age(self) -> float | None:
        """How long ago the present token was minted, in seconds; None without one."""
        return None if self._token is None else time.monotonic() - self._minted_at

    async def _async_mint(self) -> str:
        """Ask for a new token."""
        asked_at = time.monotonic()
        try:
            answer = await exchange(
                self._session,
                "POST",
                TOKEN_URL,
                timeout=_TIMEOUT,
                secret=self._client_secret,
                data={
                    "grant_type": "client_credentials",
                    "client_id": self._client_id,
                    "client_secret": self._client_secret,
                },
            )
        except UnconfirmedError as err:
            raise NotSentError(f"no access token: {err}") from err
        body = as_mapping(answer.body)
        token = body.get("access_token")
        if not answer.is_ok or not is_token(token):
            raise _minting_error(answer)
        lifetime = as_number(body.get("expires_in"))
        self._minted_at = asked_at
        self._usable_until = (
            asked_at
            + (_DOCUMENTED_LIFETIME if lifetime is None else lifetime)
            - _NEVER_IN_ITS_LAST
        )
        return str(token)


def _minting_error(answer: Answer) -> SmartcarError:
    """Return what it means that no token came: only a refusal in OAuth's own shape is about the credentials."""
    details = answer.error
    if answer.status in (400, 401) and details is not None and details.code is not None:
        return AuthenticationError(details)
    return NotSentError(f"no access token: HTTP {answer.status}")
