"""Runs Home Assistant with the integration's addresses swapped for our Smartcar's.

The product has no setting for this, and must not have one: whoever could set it could
collect credentials.
"""

import argparse
from pathlib import Path
import sys
import warnings


def main() -> int:
    """Swap the addresses, then become `hass`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config_dir", type=Path)
    parser.add_argument("smartcar_url")
    arguments = parser.parse_args()

    # Python hides these from users. Home Assistant logs what is not hidden, and the
    # demo reads its log.
    warnings.filterwarnings("default", module=r"custom_components\.smartcar_charging")

    # The copy that Home Assistant will load, not one that happens to be in the current
    # folder.
    sys.path.insert(0, str(arguments.config_dir))
    from custom_components.smartcar_charging.smartcar import auth, client  # noqa: PLC0415

    setattr(client, "API_URL", f"{arguments.smartcar_url}/v3")  # noqa: B010  # a constant, for everybody else
    setattr(auth, "TOKEN_URL", f"{arguments.smartcar_url}/oauth2/token")  # noqa: B010

    from homeassistant.__main__ import main as hass  # noqa: PLC0415

    sys.argv = ["hass", "--config", str(arguments.config_dir), "--skip-pip"]
    return hass()


if __name__ == "__main__":
    sys.exit(main())
