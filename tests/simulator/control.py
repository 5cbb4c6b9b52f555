"""How another process steers the simulator: routes that Smartcar does not have."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aiohttp import web

from .cars import Car, CreateMode
from .faults import Cut, Fault
from .received import ReceivedRequest

if TYPE_CHECKING:
    from .server import Simulator

type _Handler = Callable[[web.Request], Awaitable[web.Response]]


def add_control_routes(app: web.Application, simulator: Simulator) -> None:
    """Add the routes to the server."""

    async def requests(request: web.Request) -> web.Response:
        """List what was received; a DELETE also forgets it."""
        received = simulator.requests
        if request.method == "DELETE":
            simulator.requests = []
        return web.json_response([_shown(one) for one in received])

    async def schedules(request: web.Request) -> web.Response:
        """List what is on a car."""
        vehicle_id = request.match_info["vehicle_id"]
        return web.json_response(
            [asdict(schedule) for schedule in simulator.schedules(vehicle_id)]
        )

    async def scenario(request: web.Request) -> web.Response:
        """Change how it behaves: `behave` first, then `create_mode`, then `fault`."""
        _follow(simulator, await request.json())
        return web.json_response({"create_mode": simulator.create_mode})

    async def cars(request: web.Request) -> web.Response:
        """Connect a car, described by the fields of `Car`; missing ids are made up."""
        described = await request.json()
        if "permissions" in described:
            described["permissions"] = tuple(described["permissions"])
        vehicle = simulator.add_car(Car(**described))
        vehicle.timers_live = True
        return web.json_response(asdict(vehicle.car), status=201)

    app.router.add_get("/simulator/requests", requests)
    app.router.add_delete("/simulator/requests", requests)
    app.router.add_get(
        "/simulator/vehicles/{vehicle_id}/schedules", _explaining(schedules)
    )
    app.router.add_post("/simulator/scenario", _explaining(scenario))
    app.router.add_post("/simulator/cars", _explaining(cars))


def _explaining(handler: _Handler) -> _Handler:
    """Make a handler answer what was wrong with its input."""

    async def explained(request: web.Request) -> web.Response:
        """Answer 404 for an unknown car and 400 for input that does not fit."""
        try:
            return await handler(request)
        except KeyError as err:
            return web.json_response({"error": f"not found: {err}"}, status=404)
        except (AttributeError, TypeError, ValueError) as err:
            return web.json_response({"error": str(err)}, status=400)

    return explained


def _shown(received: ReceivedRequest) -> dict[str, Any]:
    """Return a request for showing, its token hidden."""
    headers = dict(received.headers)
    for name in headers:
        if name.lower() == "authorization":
            headers[name] = f"{headers[name].partition(' ')[0]} ***"
    return {
        "method": received.method,
        "path": received.path,
        "query": received.query,
        "headers": headers,
        "body": received.body.decode("utf-8", "replace"),
        "received_at": received.received_at,
    }


def _follow(simulator: Simulator, wanted: dict[str, Any]) -> None:
    """Change how the simulator behaves."""
    if wanted.pop("behave", False):
        simulator.behave()
    if create_mode := wanted.pop("create_mode", None):
        simulator.create_mode = CreateMode(create_mode)
    if fault := wanted.pop("fault", None):
        _add_fault(simulator, fault)
    if wanted:
        raise ValueError(f"not known: {', '.join(wanted)}")


def _add_fault(simulator: Simulator, described: dict[str, Any]) -> None:
    """Script a fault for the next matching request, or for all with `always`.

    Chunks are [seconds, text or null].
    """
    method, path, always = (
        described.pop(key, None) for key in ("method", "path", "always")
    )
    if "cut" in described:
        described["cut"] = Cut(described["cut"])
    if "chunks" in described:
        described["chunks"] = tuple(
            (seconds, None if text is None else text.encode())
            for seconds, text in described["chunks"]
        )
    fault = Fault(**described)
    if always:
        simulator.always(fault, method=method, path=path)
    else:
        simulator.script(fault, method=method, path=path)
