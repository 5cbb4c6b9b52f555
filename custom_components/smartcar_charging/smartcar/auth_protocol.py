"""What a client needs of whoever gives it tokens."""

from typing import Protocol


class Auth(Protocol):
    """Gives the bearer token for a request."""

    async def async_get_token(self) -> str:
        """Return a token; raise AuthenticationError or NotSentError."""

    def discard(self, token: str) -> bool:
        """Forget a token that was rejected; return whether another one can be had."""

    @property
    def token_age(self) -> float | None:
        """Seconds since the present token was minted; None if that is unknown."""
