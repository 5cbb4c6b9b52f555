"""What an answer of the simulated API looks like before it is sent."""

from dataclasses import dataclass
import json
from typing import Any, Final

type Body = dict[str, Any] | list[Any] | str | bytes | None

# Stands for the request's id in a body, which is made before its id is known.
REQUEST_ID: Final = "{requestId}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A status and a body: JSON for a dict or list, text or bytes as they are."""

    status: int = 200
    body: Body = None

    @property
    def content_type(self) -> str:
        """Tell the content type that fits the body."""
        return (
            "application/json" if isinstance(self.body, dict | list) else "text/plain"
        )

    def encoded(self, request_id: str) -> bytes:
        """Return the body's bytes, with the request's id filled in."""
        match self.body:
            case None:
                return b""
            case bytes():
                return self.body
            case str():
                text = self.body
            case _:
                text = json.dumps(self.body)
        return text.replace(REQUEST_ID, request_id).encode()


class RefusedError(Exception):
    """The API does not do what was asked."""

    def __init__(
        self, status: int, error_type: str, code: str | None, detail: str
    ) -> None:
        """Keep the answer that says why."""
        super().__init__(detail)
        self.answer = Answer(
            status=status, body=error_body(status, error_type, code, detail)
        )


def error_body(
    status: int,
    error_type: str,
    code: str | None = None,
    detail: str = "The simulator was told to answer this.",
    *,
    title: str | None = None,
    resolution: str | None = "RETRY_LATER",
    user_message: str = "Please try again later.",
) -> dict[str, Any]:
    """Return a body in Smartcar's errors[] shape."""
    return {
        "errors": [
            {
                "status": str(status),
                "type": error_type,
                "code": code,
                "title": title or (code or error_type).replace("_", " ").capitalize(),
                "detail": detail,
                "resolution": {"type": resolution},
                "suggestedUserMessage": user_message,
                "meta": {"debug": {"requestId": REQUEST_ID}},
            }
        ]
    }
