"""What an answer proves: the one place that concludes it.

The rules are a table in docs/architecture.md, "What an answer proves".
"""

from collections.abc import Mapping
import re
from typing import Any, Final

from .errors import (
    AuthenticationError,
    ErrorDetails,
    ErrorType,
    GoneError,
    RefusedError,
    UnconfirmedError,
)
from .reading import as_text, member
from .transport import Answer

MAX_MESSAGE_LENGTH: Final = 300

# The status word of a command that was carried out.
SUCCESS: Final = "SUCCESS"

type _ErrorObject = Mapping[str, Any]

_UPPER_CASE_WORD: Final = re.compile(r"[A-Z][A-Z0-9_]*")
_CODE_WORD: Final = re.compile(r"[A-Za-z]+(?:[_.-][A-Za-z]+)*")
_MESSAGE_KEYS: Final = ("detail", "description", "title")
_SAYS_NOTHING: Final[_ErrorObject] = {}

# With these the command may have reached the car all the same.
_OUTCOME_UNKNOWN: Final = frozenset({ErrorType.SERVER, ErrorType.UPSTREAM})


def conclude(answer: Answer) -> None:
    """Raise what an answer proves, unless it says that the request was accepted.

    Raises GoneError, AuthenticationError or another RefusedError (nothing was
    changed), or UnconfirmedError (nothing is proven).
    """
    details = read_details(answer)
    if details is None:
        return
    if _is_gone(answer, details):
        raise GoneError(details)
    # Of what was sent more than once, only the last answer was heard: it says nothing
    # of the others. And an answer that also says success contradicts itself.
    is_unclear = answer.sends > 1 or _says_success(answer)
    if is_unclear or not _proves_refusal(details):
        raise UnconfirmedError(details)
    if details.kind is ErrorType.AUTHENTICATION:
        raise AuthenticationError(details)
    raise RefusedError(details)


def _says_success(answer: Answer) -> bool:
    """Whether both status words, HTTP's and the command's, are those of a success."""
    if not answer.is_ok:
        return False
    word = member(answer.body, "data", "attributes", "status", "value")
    return as_text(word) == SUCCESS


def read_details(answer: Answer) -> ErrorDetails | None:
    """Return what an answer says of an error; None for a 2xx without a trace of one."""
    error = _find_error(answer.body)
    if error is None:
        if answer.is_ok:
            return None
        error = _SAYS_NOTHING
    request_id = as_text(member(error, "meta", "debug", "requestId"))
    return ErrorDetails(
        http_status=answer.status,
        type=_own_type(error),
        code=_code(error),
        message=_message(error),
        request_id=answer.request_id or request_id,
        retry_after=answer.retry_after,
    )


def _find_error(body: Any) -> _ErrorObject | None:
    """Return what stands in the first place for errors that is not empty."""
    errors = member(body, "errors")
    if errors:
        if isinstance(errors, list):
            return _as_error(errors[0])
        return _SAYS_NOTHING
    error = member(body, "error")
    if error:
        return _as_error(error)
    # A resource also has a type; only an error has no data beside it.
    is_flat = isinstance(body, dict) and "data" not in body
    if is_flat and (body.get("type") or body.get("code")):
        return _as_error(body)
    error = member(body, "data", "attributes", "status", "error")
    if error:
        return error if isinstance(error, dict) else _SAYS_NOTHING
    return None


def _as_error(value: Any) -> _ErrorObject:
    """Return an error object; of what is none, only that it is there."""
    if isinstance(value, dict):
        return value
    if isinstance(value, str):
        # OAuth writes {"error": "invalid_client"}; a gateway may write a sentence.
        key = "code" if _CODE_WORD.fullmatch(value) else "detail"
        return {key: value}
    return _SAYS_NOTHING


def _own_type(error: _ErrorObject) -> str | None:
    """Return the type, which makes an error object Smartcar's own."""
    error_type = error.get("type")
    if isinstance(error_type, str) and _UPPER_CASE_WORD.fullmatch(error_type):
        return as_text(error_type)
    return None


def _code(error: _ErrorObject) -> str | None:
    """Return the code, if it is a word: anything else may say who and where."""
    code = as_text(error.get("code"))
    if code is not None and _CODE_WORD.fullmatch(code):
        return code
    return None


def _message(error: _ErrorObject) -> str | None:
    """Return the first of the texts for people that says something."""
    for key in _MESSAGE_KEYS:
        message = as_text(error.get(key), max_length=MAX_MESSAGE_LENGTH)
        if message is not None:
            return message
    return None


def _is_gone(answer: Answer, details: ErrorDetails) -> bool:
    """Whether Smartcar's own answer says that the schedule does not exist.

    Another code is about the car, the user or the path, and says nothing of it.
    """
    if not answer.is_whole or answer.status != 404:
        return False
    if details.type != ErrorType.RESOURCE_NOT_FOUND:
        return False
    code = (_find_error(answer.body) or _SAYS_NOTHING).get("code")
    return code is None or (isinstance(code, str) and "SCHEDULE" in code)


def _proves_refusal(details: ErrorDetails) -> bool:
    """Whether the only sending provably changed nothing."""
    status = details.http_status or 0
    if details.type is None:
        # Without an error object of Smartcar's own, an answer is some gateway's.
        return status == 401
    if details.type in ErrorType:
        return details.type not in _OUTCOME_UNKNOWN
    # A request that timed out on its way may have been carried out.
    return (400 <= status < 500 and status != 408) or status == 501
