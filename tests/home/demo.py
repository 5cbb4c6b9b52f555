"""The whole job before your eyes: a car is connected, and its schedule is set."""

import argparse
import asyncio
from collections.abc import Sequence
import contextlib
import json
from pathlib import Path
import re
import signal
import socket
import sys
from typing import Any, Final

from tests.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, TESLA, Fault, Simulator
from tests.versions import version_of

from .api import HomeAssistantApi
from .dashboard import show_card
from .process import HomeAssistantProcess

_CONFIG_DIR: Final = Path(__file__).resolve().parent.parent.parent / ".demo"
_DOMAIN: Final = "smartcar_charging"
_SENSOR: Final = "sensor.tesla_model_y_2024_last_execution"
_START_SECONDS: Final = 180
_USER: Final = "demo"


class UnexpectedError(Exception):
    """Something was not as it should be."""


def say(text: str = "") -> None:
    """Tell the person who watches."""
    print(text, flush=True)


def expect(what: str, found: Any, expected: Any) -> None:
    """Stop the demo if something is not as it should be."""
    if found != expected:
        raise UnexpectedError(f"{what}: expected {expected!r}, found {found!r}")


def show(value: Any) -> None:
    """Print a value as indented JSON."""
    say(
        "    " + json.dumps(value, indent=2, ensure_ascii=False).replace("\n", "\n    ")
    )


async def connect_car(home: HomeAssistantApi) -> None:
    """Walk the config flow, as the user interface would."""
    flows = "/api/config/config_entries/flow"
    step = await home.post(flows, handler=_DOMAIN)
    expect("the first step", step["menu_options"], ["api_credentials", "access_token"])
    flow = f"{flows}/{step['flow_id']}"
    await home.post(flow, next_step_id="api_credentials")

    step = await home.post(
        flow, client_id=DEMO_CLIENT_ID, client_secret="not the secret"
    )
    expect("a wrong secret", step["errors"], {"client_secret": "invalid_auth"})
    say("  a wrong secret is refused, on its field; the right one is accepted")

    step = await home.post(
        flow, client_id=DEMO_CLIENT_ID, client_secret=DEMO_CLIENT_SECRET
    )
    expect("the step after the credentials", step["step_id"], "vehicle")
    *offered, _enter_ids = step["data_schema"][0]["selector"]["select"]["options"]
    for option in offered:
        say(f"  offered: {option['label']}")
    step = await home.post(flow, vehicle=TESLA.connection_id)
    expect("the end of the flow", step["type"], "create_entry")
    say(f"  chosen:  Tesla Model Y 2024, now the entry {step['title']!r}")


async def set_schedule(home: HomeAssistantApi, start: str, stop: str) -> dict[str, Any]:
    """Call the action, and show the response and the sensor as it changes."""
    async with home.state_changes(_SENSOR) as states:
        response = await home.call_action(
            _DOMAIN, "set_daily_charge_schedule", start_time=start, stop_time=stop
        )
        show(response)
        async with asyncio.timeout(10):
            seen = [await states.get(), await states.get()]
    say(f"  {_SENSOR}: {' -> '.join(seen)}")
    expect("the states of the sensor", seen, ["in_progress", "success"])
    expect("the status", response["status"], "SUCCESS")
    expect("the window", (response["start_time"], response["stop_time"]), (start, stop))
    expect("the warnings", response["warnings"], [])
    return response


async def watch(home: HomeAssistantApi, simulator: Simulator) -> None:
    """Do the whole job once, and compare everything with what it should be."""
    say("\n1. Connecting a car, through Home Assistant's own configuration flow")
    await connect_car(home)

    say(
        "\n2. Calling smartcar_charging.set_daily_charge_schedule for a window over "
        "midnight, at home"
    )
    simulator.script(Fault.slow(1), path="/charge-schedules/daily")
    first = await set_schedule(home, "23:30", "05:30")
    expect(
        "over midnight",
        (first["crosses_midnight"], first["duration_minutes"]),
        (True, 360),
    )

    say("\n3. What Smartcar was sent")
    request = simulator.creates[-1]
    say(f"    {request.method} {request.path}")
    say(f"    sc-user-id: {request.headers['sc-user-id']}")
    say(f"    {request.body.decode()}")
    expect(
        "the path",
        request.path,
        f"/v3/vehicles/{TESLA.vehicle_id}/charge-schedules/daily",
    )
    expect("the user", request.headers["sc-user-id"], TESLA.user_id)
    location = {"latitude": 52.3731, "longitude": 4.8926}
    attributes = {"location": location, "startTime": "23:30", "stopTime": "05:30"}
    expect("the body", request.json, {"data": {"attributes": attributes}})

    say("\n4. Setting another window for the same place: it replaces the first")
    simulator.script(Fault.slow(1), path="/charge-schedules/daily")
    second = await set_schedule(home, "00:15", "06:00")
    expect("what was replaced", second["replaced_schedule_ids"], [first["schedule_id"]])
    on_car = [schedule.id for schedule in simulator.schedules(TESLA.vehicle_id)]
    expect("what is on the car", on_car, [second["schedule_id"]])

    say("\n5. The sensor, as an automation or a dashboard sees it")
    state = await home.get(f"/api/states/{_SENSOR}")
    show({"state": state["state"], **state["attributes"]})
    expect("the sensor", state["state"], "success")
    expect("its schedule", state["attributes"]["schedule_id"], second["schedule_id"])


def check_log(process: HomeAssistantProcess) -> None:
    """Stop the demo if the log has a complaint about the integration or a secret."""
    log = process.log.read_text(errors="replace")
    # Home Assistant also complains about optional parts of its own that are not
    # installed here.
    complaint = re.compile(
        r" (WARNING|ERROR|CRITICAL) .*smartcar|smartcar_charging/.*Warning: "
    )
    complaints = [
        line
        for line in log.splitlines()
        if complaint.search(line) and "has not been tested" not in line
    ]
    expect("complaints about the integration in Home Assistant's log", complaints, [])
    expect(
        "the client secret in Home Assistant's log", DEMO_CLIENT_SECRET in log, False
    )


def check_port(port: int) -> None:
    """Stop before anything is started if the port is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as err:
            raise UnexpectedError(
                f"port {port} is in use; choose another one with --port"
            ) from err


async def run(port: int, version: str, *, once: bool) -> None:
    """Start everything, do the job, and keep running unless once is enough."""
    check_port(port)
    async with Simulator() as simulator, contextlib.AsyncExitStack() as stack:
        simulator.add_demo_cars()
        say(f"Our Smartcar (a simulator) is at {simulator.url}")
        process = HomeAssistantProcess(_CONFIG_DIR, port, simulator.url)
        process.prepare()
        stack.push_async_callback(process.stop)
        print("Home Assistant is starting ", end="", flush=True)
        await process.start(
            _START_SECONDS, on_wait=lambda: print(".", end="", flush=True)
        )
        home = await stack.enter_async_context(HomeAssistantApi(process.url))
        await home.onboard(_USER, _USER)
        await home.wait_until_running(_START_SECONDS)
        await home.tidy_up()
        await home.show_24_hours()
        say(" ready")
        expect(
            "the version of Home Assistant",
            (await home.get("/api/config"))["version"],
            version,
        )
        await watch(home, simulator)
        check_log(process)
        await show_card(home)
        say(f"\nEverything was as expected, on Home Assistant {version}.")
        if once:
            return
        say(
            f"\nLog in at {process.url} as {_USER}, password {_USER}. "
            "You see the car's card. Look also at:"
        )
        say(
            f"  {process.url}/config/integrations/integration/{_DOMAIN}   "
            "the integration, its car, and adding another"
        )
        say(f"  {process.url}/calendar   the windows that are set")
        say(f"  {process.url}/config/developer-tools/action   the action's form")
        say(
            f"Everything this Home Assistant keeps is in {_CONFIG_DIR.name}/. "
            "Ctrl+C ends it."
        )
        ended = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        await ended.wait()
        say("\nHome Assistant is stopping")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; the exit code is 0 only if everything was as expected."""
    parser = argparse.ArgumentParser(prog="script/demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the job is done")
    parser.add_argument(
        "--port",
        type=int,
        default=8123,
        help="port of the user interface (default: %(default)s)",
    )
    parser.add_argument(
        "--ha",
        default="newest",
        help="the Home Assistant that it has to be (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    try:
        asyncio.run(run(options.port, version_of(options.ha), once=options.once))
    except (UnexpectedError, RuntimeError, TimeoutError) as err:
        print(f"\ndemo: {str(err) or type(err).__name__}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
