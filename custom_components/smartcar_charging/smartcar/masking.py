"""How a secret is kept out of what an answer repeats."""

from typing import Any, Final

# Something so short is no secret, and taking it out would garble every answer.
MIN_SECRET_LENGTH: Final = 8
MASK: Final = "***"


def mask_text(text: str, secret: str) -> str:
    """Return the text without the secret."""
    if len(secret) < MIN_SECRET_LENGTH:
        return text
    return text.replace(secret, MASK)


def mask_json(value: Any, secret: str) -> Any:
    """Return a JSON value without the secret, in its texts and in its keys.

    The value is parsed already, so that no escape in its source hides the secret.
    Objects and lists are changed in place, and without recursion: an answer may be
    nested deeper than Python calls.
    """
    root = [value]
    containers: list[Any] = [root]
    while containers:
        container = containers.pop()
        if isinstance(container, dict):
            for key in list(container):
                container[mask_text(key, secret)] = container.pop(key)
            members = list(container.items())
        else:
            members = list(enumerate(container))
        for key, member in members:
            if isinstance(member, str):
                container[key] = mask_text(member, secret)
            elif isinstance(member, dict | list):
                containers.append(member)
    return root[0]
