"""A secret that an answer repeats is gone before anybody can read it."""

from typing import Any, Final

import aiohttp
import pytest

from custom_components.smartcar_charging.smartcar import (
    AccessToken,
    SmartcarClient,
    SmartcarError,
)
from custom_components.smartcar_charging.smartcar.masking import mask_json, mask_text
from tests.simulator import Fault, Simulator

from .conftest import create

# With a slash, as base64 has it: JSON may write it in three ways.
TOKEN: Final = "secret/token+of/a=user"


@pytest.mark.parametrize(
    "written",
    [TOKEN, TOKEN.replace("/", "\\/"), TOKEN.replace("/", "\\u002f")],
    ids=["plain", "escaped", "unicode"],
)
@pytest.mark.parametrize("key", ["code", "detail", "type"])
async def test_token_in_a_body_is_masked_however_it_is_written(
    simulator: Simulator, session: aiohttp.ClientSession, written: str, key: str
) -> None:
    """JSON has more than one way to write a text."""
    body = f'{{"errors": [{{"type": "VALIDATION", "{key}": "x {written} y"}}]}}'
    simulator.script(Fault(status=400, body=body))

    with pytest.raises(SmartcarError) as caught:
        await create(SmartcarClient(session, AccessToken(TOKEN)))

    assert "secret" not in repr(caught.value.details)


async def test_token_in_the_request_id_is_masked(
    simulator: Simulator, session: aiohttp.ClientSession
) -> None:
    """The id is shown and stored."""
    headers = {"SC-Request-Id": f"id-{TOKEN}"}
    simulator.script(Fault.error(409, "VEHICLE_STATE", headers=headers))

    with pytest.raises(SmartcarError) as caught:
        await create(SmartcarClient(session, AccessToken(TOKEN)))

    assert caught.value.details.request_id == "id-***"


async def test_token_in_an_echo_is_masked(
    simulator: Simulator, session: aiohttp.ClientSession
) -> None:
    """A success is stored as well."""
    token = simulator.issue_token()
    simulator.script(Fault(merge={"data": {"id": f"exec_{token}"}}))

    execution = await create(SmartcarClient(session, AccessToken(token)))

    assert execution.execution_id == "exec_***"


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        (TOKEN, "***"),
        (5, 5),
        (None, None),
        ({TOKEN: 1}, {"***": 1}),
        ({"a": {f"x{TOKEN}": [TOKEN]}}, {"a": {"x***": ["***"]}}),
        ([[TOKEN, 1.5], {"b": TOKEN}], [["***", 1.5], {"b": "***"}]),
        ({"a": 1, "b": 2}, {"a": 1, "b": 2}),
    ],
)
def test_secret_is_masked_in_texts_and_keys(value: Any, masked: Any) -> None:
    """The rest of a value stays as it is."""
    assert mask_json(value, TOKEN) == masked


def test_deep_value_is_masked() -> None:
    """Nesting is no way for a secret to get through."""
    value: Any = TOKEN
    for _ in range(50_000):
        value = [value]

    masked = mask_json(value, TOKEN)

    for _ in range(50_000):
        (masked,) = masked
    assert masked == "***"


def test_short_text_is_no_secret() -> None:
    """Taking it out would garble every answer."""
    assert mask_text("access", "access") == "access"
