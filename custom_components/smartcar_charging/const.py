"""What several modules share."""

from typing import Final

DOMAIN: Final = "smartcar_charging"

DASHBOARD_URL: Final = "https://dashboard.smartcar.com"

CONF_MAKE: Final = "make"
CONF_MODEL: Final = "model"
CONF_USER_ID: Final = "user_id"
CONF_VEHICLE_ID: Final = "vehicle_id"
CONF_YEAR: Final = "year"

SUBENTRY_TYPE_VEHICLE: Final = "vehicle"
