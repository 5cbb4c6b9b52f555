"""Which applications there are and which bearer tokens are valid."""

from collections.abc import Callable
from dataclasses import dataclass, field
import secrets
import time


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """A bearer token's application (None: of no particular one) and when it expires."""

    application: str | None
    expires_at: float


@dataclass(kw_only=True, eq=False)
class Tokens:
    """Client ids with their secrets, and the tokens in use."""

    applications: dict[str, str] = field(default_factory=dict)
    token_lifetime: float = 3600
    clock: Callable[[], float] = time.monotonic
    tokens_minted: list[str] = field(default_factory=list, init=False, repr=False)
    _tokens: dict[str, Token] = field(default_factory=dict, init=False, repr=False)

    def issue_token(self, application: str | None = None) -> str:
        """Return a new valid token, as one pasted by the user."""
        token = secrets.token_urlsafe(32)
        self._tokens[token] = Token(
            application=application, expires_at=self.clock() + self.token_lifetime
        )
        return token

    def mint_token(self, client_id: str, client_secret: str) -> str | None:
        """Return a new token for an application that proves itself with its secret."""
        if self.applications.get(client_id) != client_secret:
            return None
        token = self.issue_token(client_id)
        self.tokens_minted.append(token)
        return token

    def revoke_tokens(self) -> None:
        """Make all tokens invalid."""
        self._tokens.clear()

    def valid_token(self, bearer: str) -> Token | None:
        """Return what is known of a token that still works."""
        token = self._tokens.get(bearer)
        return token if token is not None and self.clock() < token.expires_at else None
