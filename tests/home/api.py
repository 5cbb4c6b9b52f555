"""Home Assistant's own API, as its frontend uses it."""

import asyncio
from collections.abc import AsyncIterator
import contextlib
from contextlib import asynccontextmanager
from typing import Any, Self

import aiohttp


class HomeAssistantApi:
    """A signed-in user of a running Home Assistant."""

    def __init__(self, url: str) -> None:
        """Take the address of the user interface."""
        self.url = url
        self._session = aiohttp.ClientSession(base_url=url)

    async def __aenter__(self) -> Self:
        """Be open."""
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Close the connections."""
        await self._session.close()

    async def onboard(self, username: str, password: str) -> None:
        """Create the first user, finish the onboarding, and be signed in."""
        client_id = f"{self.url}/"
        user = await self.post(
            "/api/onboarding/users",
            client_id=client_id,
            name=username.title(),
            username=username,
            password=password,
            language="en",
        )
        form = {
            "grant_type": "authorization_code",
            "code": user["auth_code"],
            "client_id": client_id,
        }
        async with self._session.post("/auth/token", data=form) as response:
            token = (await response.json())["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"
        await self.post("/api/onboarding/core_config")
        await self.post("/api/onboarding/analytics")
        await self.post(
            "/api/onboarding/integration", client_id=client_id, redirect_uri=client_id
        )

    async def wait_until_running(self, timeout: float) -> None:
        """Return when Home Assistant has finished starting."""
        async with asyncio.timeout(timeout):
            while (await self.get("/api/core/state"))["state"] != "RUNNING":
                await asyncio.sleep(0.2)

    async def get(self, path: str) -> Any:
        """Return what a GET answers."""
        async with self._session.get(path) as response:
            return await _result(response)

    async def post(self, path: str, **body: Any) -> Any:
        """Return what a POST answers."""
        async with self._session.post(path, json=body) as response:
            return await _result(response)

    async def delete(self, path: str) -> Any:
        """Return what a DELETE answers."""
        async with self._session.delete(path) as response:
            return await _result(response)

    async def call_action(
        self, domain: str, action: str, **data: Any
    ) -> dict[str, Any]:
        """Call an action, and return its response."""
        result = await self.post(
            f"/api/services/{domain}/{action}?return_response", **data
        )
        response: dict[str, Any] = result["service_response"]
        return response

    async def command(self, kind: str, **data: Any) -> Any:
        """Send a command over the WebSocket; raise RuntimeError if it is refused."""
        async with self._socket() as socket:
            await socket.send_json({"id": 1, "type": kind, **data})
            answer = await socket.receive_json()
        if not answer["success"]:
            raise RuntimeError(f"{kind}: {answer['error']}")
        return answer["result"]

    async def tidy_up(self) -> None:
        """Settle what a first start leaves open.

        Newer versions want a port confirmed, and onboarding adds entries of its own.
        """
        with contextlib.suppress(RuntimeError):
            await self.command("http/config/promote")
        for issue in (await self.command("repairs/list_issues"))["issues"]:
            await self.command(
                "repairs/ignore_issue",
                domain=issue["domain"],
                issue_id=issue["issue_id"],
                ignore=True,
            )
        for entry in await self.get("/api/config/config_entries/entry"):
            if entry["state"] == "setup_error":
                await self.delete(
                    f"/api/config/config_entries/entry/{entry['entry_id']}"
                )

    async def show_24_hours(self, language: str = "en") -> None:
        """Have the user interface show times as the README writes them.

        The other values are the usual ones of the language.
        """
        usual = dict.fromkeys(("number_format", "date_format"), "language")
        locale = {
            "language": language,
            "time_format": "24",
            "time_zone": "local",
            "first_weekday": "monday",
            **usual,
        }
        await self.command("frontend/set_user_data", key="language", value=locale)

    @asynccontextmanager
    async def state_changes(self, entity_id: str) -> AsyncIterator[asyncio.Queue[str]]:
        """Collect the states that an entity takes."""
        states: asyncio.Queue[str] = asyncio.Queue()
        async with self._socket() as socket:
            trigger = {"trigger": "state", "entity_id": entity_id}
            await socket.send_json(
                {"id": 1, "type": "subscribe_trigger", "trigger": trigger}
            )
            await socket.receive_json()

            async def collect() -> None:
                """Put every new state into the queue."""
                async for message in socket:
                    variables = message.json()["event"]["variables"]
                    states.put_nowait(variables["trigger"]["to_state"]["state"])

            collector = asyncio.create_task(collect())
            try:
                yield states
            finally:
                collector.cancel()

    @asynccontextmanager
    async def _socket(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Open a WebSocket and sign in on it."""
        async with self._session.ws_connect("/api/websocket") as socket:
            await socket.receive_json()
            token = self._session.headers["Authorization"].removeprefix("Bearer ")
            await socket.send_json({"type": "auth", "access_token": token})
            await socket.receive_json()
            yield socket


async def _result(response: aiohttp.ClientResponse) -> Any:
    """Return the JSON of a good answer; raise RuntimeError with what a bad one says."""
    if response.status >= 400:
        raise RuntimeError(
            f"{response.method} {response.url.path}: HTTP {response.status}: "
            f"{await response.text()}"
        )
    return await response.json()
