"""Run the simulator by itself: `python -m tests.simulator --port 8765`."""

import argparse
import asyncio
import signal

from .demo import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET
from .server import Simulator


async def _run(port: int, client_id: str, client_secret: str) -> None:
    """Serve the demo cars until a signal asks to end."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with Simulator(
        port=port, applications={client_id: client_secret}
    ) as simulator:
        simulator.add_demo_cars()
        print(f"Smartcar simulator ready: {simulator.url}", flush=True)
        await ended.wait()


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulator",
        description="Simulator of the Smartcar V3 API.",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=8765,
        help="port on 127.0.0.1, 0 for a free one (%(default)s)",
    )
    parser.add_argument(
        "--client-id",
        default=DEMO_CLIENT_ID,
        help="the application's client id (%(default)s)",
    )
    parser.add_argument(
        "--client-secret", default=DEMO_CLIENT_SECRET, help="its secret (%(default)s)"
    )
    options = parser.parse_args()
    asyncio.run(_run(options.port, options.client_id, options.client_secret))


if __name__ == "__main__":
    main()
