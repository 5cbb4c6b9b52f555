"""Where a bearer token comes from: a pasted one, or credentials that mint one."""

import asyncio
from dataclasses import dataclass, field
import re
import time
from typing import Any, Final, override

import aiohttp

from .conclusions import read_details
from .errors import (
    AuthenticationError,
    ErrorDetails,
    NotSentError,
    SmartcarError,
    UnconfirmedError,
)
from .reading import as_number, member
from .transport import Answer, Transmission, exchange

TOKEN_URL: Final = "https://iam.smartcar.com/oauth2/token"  # noqa: S105  # an address

TOKEN_TIMEOUT: Final = aiohttp.ClientTimeout(total=30)
# Seconds; a token in its last minute could expire on its way.
TOKEN_LIFETIME: Final = 3600.0
TOKEN_EXPIRY_MARGIN: Final = 60.0
# Seconds; a longer Retry-After of the token endpoint is not believed.
MAX_TOKEN_RETRY_AFTER: Final = 3600.0

_TOKEN: Final = re.compile(r"[\x21-\x7e]+")


def is_token(value: Any) -> bool:
    """Whether this can stand in an Authorization header."""
    return isinstance(value, str) and _TOKEN.fullmatch(value) is not None


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token pasted by the user: it lasts an hour, and no other can be had."""

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


@dataclass(eq=False, slots=True)
class _Minting:
    """A request for a token that is under way, and what came of it.

    One that was cut off has neither a token nor an error.
    """

    ended: asyncio.Event = field(default_factory=asyncio.Event)
    token: str | None = None
    error: SmartcarError | None = None


class ClientCredentials:
    """Mints tokens with a client id and secret; one token serves everybody.

    Follows https://smartcar.com/docs/getting-started/how-to/api-authentication: a
    form post of `grant_type=client_credentials`, answered by `access_token` and
    `expires_in` (seconds).
    """

    def __init__(
        self, session: aiohttp.ClientSession, client_id: str, client_secret: str
    ) -> None:
        """Take the credentials; nothing is sent before a token is needed."""
        self._session = session
        self._client_id = client_id
        self._client_secret = client_secret
        self._token: str | None = None
        self._minted_at = 0.0
        self._usable_until = 0.0
        self._closed_until = 0.0
        self._minting: _Minting | None = None

    @override
    def __repr__(self) -> str:
        """Name the class only."""
        return f"{type(self).__name__}()"

    async def async_get_token(self) -> str:
        """Return the present token, or mint one.

        Those who ask meanwhile wait for that one request, and share what comes of it.
        Raises AuthenticationError or NotSentError.
        """
        while self._token is None or time.monotonic() >= self._usable_until:
            minting = self._minting
            if minting is None:
                return await self._async_mint_for_all()
            await minting.ended.wait()
            if minting.error is not None:
                # An exception of its own for each: they are raised in other tasks.
                error = type(minting.error)(minting.error.details)
                raise error from minting.error
            if minting.token is not None:
                return minting.token
        return self._token

    def discard(self, token: str) -> bool:
        """Forget a rejected token, unless it was already replaced."""
        if token == self._token:
            self._token = None
        return True

    @property
    def token_age(self) -> float | None:
        """Seconds since the present token was minted; None without one."""
        if self._token is None:
            return None
        return time.monotonic() - self._minted_at

    async def _async_mint_for_all(self) -> str:
        """Mint a token, and tell those who wait for it what came of it."""
        minting = _Minting()
        self._minting = minting
        try:
            minting.token = await self._async_mint()
        except SmartcarError as err:
            minting.error = err
            raise
        finally:
            self._minting = None
            minting.ended.set()
        return minting.token

    async def _async_mint(self) -> str:
        """Ask for a new token, and keep it."""
        asked_at = time.monotonic()
        remaining = self._closed_until - asked_at
        if remaining > 0:
            raise _no_token("the token endpoint asked to wait", remaining)
        try:
            answer = await exchange(
                self._session,
                "POST",
                TOKEN_URL,
                timeout=TOKEN_TIMEOUT,
                secret=self._client_secret,
                transmission=Transmission(),
                data={
                    "grant_type": "client_credentials",
                    "client_id": self._client_id,
                    "client_secret": self._client_secret,
                },
            )
        except UnconfirmedError as err:
            raise _no_token(str(err)) from err
        token = member(answer.body, "access_token")
        if not answer.is_ok or not is_token(token):
            raise self._error_without_token(answer)
        lifetime = as_number(member(answer.body, "expires_in"))
        if lifetime is None:
            lifetime = TOKEN_LIFETIME
        self._token = str(token)
        self._minted_at = asked_at
        self._usable_until = asked_at + lifetime - TOKEN_EXPIRY_MARGIN
        return self._token

    def _error_without_token(self, answer: Answer) -> SmartcarError:
        """Return what it means that no token came, and keep until when not to ask.

        Only a refusal in OAuth's own shape is about the credentials.
        """
        details = read_details(answer)
        if answer.status in (400, 401) and details is not None and details.code:
            return AuthenticationError(details)
        retry_after = None
        if answer.status in (429, 503) and answer.retry_after is not None:
            retry_after = min(answer.retry_after, MAX_TOKEN_RETRY_AFTER)
            self._closed_until = time.monotonic() + retry_after
        return _no_token(f"HTTP {answer.status}", retry_after)


def _no_token(reason: str, retry_after: float | None = None) -> NotSentError:
    """Return the error of those who need a token, and can not have one for now."""
    return NotSentError(
        ErrorDetails(message=f"no access token: {reason}", retry_after=retry_after)
    )
