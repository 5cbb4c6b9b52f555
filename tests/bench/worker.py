"""The Home Assistant that is measured: it boots, then does what it is asked to.

Every question and every answer is a line of JSON.
"""

import asyncio
import gc
import json
from pathlib import Path
import sys
from typing import Any, Final

from aiohttp.test_utils import unused_port
from homeassistant.bootstrap import async_setup_hass
from homeassistant.components.http.config import async_get_and_load_store
from homeassistant.runner import RuntimeConfig, create_event_loop

from custom_components.smartcar_charging.smartcar import auth, client

from .tasks import Tasks

_YAML_PACKAGE: Final = Path(__file__).parent / "yaml_package.yaml"
_YAML_PACKAGE_URL: Final = "https://vehicle.api.smartcar.com"
_CONFIGURATION: Final = """\
homeassistant:
  name: Home
  latitude: 52.3731
  longitude: 4.8926
  time_zone: Europe/Amsterdam
  packages:
    yaml_package: !include yaml_package.yaml
http:
  server_host: 127.0.0.1
  server_port: {port}
logger:
  default: warning
"""


async def _run(config_dir: Path, smartcar_url: str) -> None:
    """Boot, and answer until there are no more questions."""
    hass = await async_setup_hass(
        RuntimeConfig(config_dir=str(config_dir), skip_pip=True)
    )
    assert hass is not None
    # Home Assistant restarts when nobody confirms a port within five minutes, and a
    # task lets a day pass at once.
    await (await async_get_and_load_store(hass)).async_promote_pending()
    await hass.async_start()
    await hass.async_block_till_done()
    tasks = Tasks(hass, smartcar_url)
    answer: Any = "ready"
    while True:
        print(json.dumps(answer), flush=True)
        line = await hass.async_add_executor_job(sys.stdin.readline)
        if not line:
            break
        name, arguments = json.loads(line)
        gc.collect()
        answer = await getattr(tasks, name)(**arguments)
    await hass.async_stop()


def _write_configuration(config_dir: Path, smartcar_url: str) -> None:
    """Write what Home Assistant reads at its start, with our Smartcar's address."""
    configuration = _CONFIGURATION.format(port=unused_port())
    (config_dir / "configuration.yaml").write_text(configuration)
    package = _YAML_PACKAGE.read_text().replace(_YAML_PACKAGE_URL, smartcar_url)
    (config_dir / _YAML_PACKAGE.name).write_text(package)


def main() -> None:
    """Swap Smartcar's addresses for those of our Smartcar, and run."""
    config_dir, smartcar_url = Path(sys.argv[1]), sys.argv[2]
    _write_configuration(config_dir, smartcar_url)
    # Constants for everybody else, which a plain assignment would contradict.
    setattr(client, "API_URL", f"{smartcar_url}/v3")  # noqa: B010
    setattr(auth, "TOKEN_URL", f"{smartcar_url}/oauth2/token")  # noqa: B010
    loop = create_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(_run(config_dir, smartcar_url))


if __name__ == "__main__":
    main()
