"""The Home Assistant that is measured: it boots, then does what it is asked to, a line of JSON at a time."""

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

from . import REPOSITORY
from .tasks import Tasks

# The same request as the action's, as somebody would write it who has only Home Assistant's own means.
_CONFIGURATION: Final = """\
homeassistant:
  name: Home
  latitude: 52.3731
  longitude: 4.8926
  time_zone: Europe/Amsterdam
http:
  server_host: 127.0.0.1
  server_port: {port}
logger:
  default: warning
rest_command:
  set_daily_charge_schedule:
    url: "{url}/v3/vehicles/{{{{ vehicle_id }}}}/charge-schedules/daily"
    method: post
    content_type: application/json
    headers:
      Authorization: "Bearer {{{{ token }}}}"
      sc-user-id: "{{{{ user_id }}}}"
    payload: >-
      {{"data": {{"attributes": {{
        "location": {{
          "latitude": {{{{ state_attr("zone.home", "latitude") }}}},
          "longitude": {{{{ state_attr("zone.home", "longitude") }}}}
        }},
        "startTime": "{{{{ start_time }}}}",
        "stopTime": "{{{{ stop_time }}}}"
      }}}}}}
"""


async def _run(config_dir: Path, smartcar_url: str) -> None:
    """Boot, and answer until there are no more questions."""
    hass = await async_setup_hass(
        RuntimeConfig(config_dir=str(config_dir), skip_pip=True)
    )
    assert hass is not None
    # Home Assistant restarts when nobody confirms a port within five minutes, which time travel makes short.
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


def main() -> None:
    """Prepare the folder, swap the addresses for those of our Smartcar, and run."""
    config_dir, smartcar_url = Path(sys.argv[1]), sys.argv[2]
    configuration = _CONFIGURATION.format(port=unused_port(), url=smartcar_url)
    (config_dir / "configuration.yaml").write_text(configuration)
    integrations = config_dir / "custom_components"
    integrations.mkdir()
    for source in (
        REPOSITORY / "custom_components/smartcar_charging",
        Path(__file__).parent / "trivial",
    ):
        (integrations / source.name).symlink_to(source, target_is_directory=True)
    # Home Assistant looks there only while nobody has imported custom integrations from elsewhere, as we have.
    sys.path.insert(0, str(config_dir))
    setattr(client, "API_URL", f"{smartcar_url}/v3")  # noqa: B010  # a constant, for everybody else
    setattr(auth, "TOKEN_URL", f"{smartcar_url}/oauth2/token")  # noqa: B010
    loop = create_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(_run(config_dir, smartcar_url))


if __name__ == "__main__":
    main()
