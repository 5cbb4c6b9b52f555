"""The flows as a user goes through them, one form after another."""

from collections.abc import Mapping
from typing import Any, Final, Self

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntry,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowManager
from homeassistant.helpers import entity_registry as er, issue_registry as ir

from custom_components.smartcar_charging.const import DOMAIN
from tests.simulator import (
    DEMO_CLIENT_ID,
    DEMO_CLIENT_SECRET,
    TESLA,
    Car,
    Simulator,
)

API_CREDENTIALS: Final = {
    "client_id": DEMO_CLIENT_ID,
    "client_secret": DEMO_CLIENT_SECRET,
}
OTHER_CREDENTIALS: Final = {
    "client_id": "client_other",
    "client_secret": "secret-of-the-other",
}

# The ways out of the list of cars.
WAYS_OUT: Final = {"search_again": "search_again", "enter_ids": "enter_ids"}

# What is entered for the Tesla, and the errors that it brings.
WRONG_IDS: Final = [
    ({"vehicle_id": "../connections"}, {"vehicle_id": "invalid_id"}),
    ({"user_id": "two words"}, {"user_id": "invalid_id"}),
    (
        {"vehicle_id": ".", "user_id": ""},
        {"vehicle_id": "invalid_id", "user_id": "invalid_id"},
    ),
    ({"vehicle_id": "unknown"}, {"vehicle_id": "vehicle_not_found"}),
]


def ids_of(car: Car) -> dict[str, str]:
    """Return what a user enters for a car."""
    return {"vehicle_id": car.vehicle_id, "user_id": car.user_id}


class Dialog:
    """A flow under way: what it shows, and what is entered next."""

    def __init__(
        self, manager: FlowManager[Any, Any, Any], shown: Mapping[str, Any]
    ) -> None:
        """Begin with what is shown first."""
        self._manager = manager
        self.shown = shown

    @classmethod
    async def new_account(cls, hass: HomeAssistant, kind: str) -> Self:
        """Add an account, and choose the kind of its credentials."""
        manager = hass.config_entries.flow
        dialog = cls(
            manager, await manager.async_init(DOMAIN, context={"source": SOURCE_USER})
        )
        await dialog.choose(kind)
        return dialog

    @classmethod
    async def list_of_cars(cls, hass: HomeAssistant) -> Self:
        """Add an account, as far as the list of its cars."""
        dialog = await cls.new_account(hass, "api_credentials")
        await dialog.enter(API_CREDENTIALS)
        return dialog

    @classmethod
    async def new_credentials(
        cls, hass: HomeAssistant, entry: ConfigEntry, source: str
    ) -> Self:
        """Exchange the credentials of an account: reauth or reconfigure."""
        manager = hass.config_entries.flow
        context: Any = {
            "source": source,
            "entry_id": entry.entry_id,
            "unique_id": entry.unique_id,
        }
        # Home Assistant hands over what was rejected.
        data = {SOURCE_REAUTH: dict(entry.data)}.get(source)
        return cls(
            manager, await manager.async_init(DOMAIN, context=context, data=data)
        )

    @classmethod
    async def new_api_credentials(
        cls, hass: HomeAssistant, entry: ConfigEntry, source: str
    ) -> Self:
        """Exchange the API credentials of an account, as far as their form."""
        dialog = await cls.new_credentials(hass, entry, source)
        for _ in {SOURCE_REAUTH: ["reauth_confirm"]}.get(source, []):
            await dialog.confirm()
        assert dialog.step == "api_credentials"
        return dialog

    @classmethod
    async def reauth_in_progress(cls, hass: HomeAssistant, entry: ConfigEntry) -> Self:
        """Open the one reauth that Home Assistant started for the account."""
        await hass.async_block_till_done()
        manager = hass.config_entries.flow
        (flow,) = manager.async_progress_by_handler(
            DOMAIN, match_context={"source": "reauth"}
        )
        assert flow["context"].get("entry_id") == entry.entry_id
        return cls(manager, await manager.async_configure(flow["flow_id"]))

    @classmethod
    async def new_car(cls, hass: HomeAssistant, entry: ConfigEntry) -> Self:
        """Add a car to an account."""
        manager = hass.config_entries.subentries
        return cls(
            manager,
            await manager.async_init(
                (entry.entry_id, "vehicle"), context={"source": SOURCE_USER}
            ),
        )

    @classmethod
    async def new_user(cls, hass: HomeAssistant, entry: ConfigEntry) -> Self:
        """Change the user of the account's first car."""
        manager = hass.config_entries.subentries
        context: Any = {
            "source": SOURCE_RECONFIGURE,
            "subentry_id": next(iter(entry.subentries)),
        }
        return cls(
            manager,
            await manager.async_init((entry.entry_id, "vehicle"), context=context),
        )

    async def reopen(self) -> None:
        """Close the dialog, and open what it showed again."""
        self.shown = await self._manager.async_configure(self.shown["flow_id"])

    async def confirm(self) -> None:
        """Submit a form that has nothing to fill in."""
        await self.enter({})

    async def choose(self, option: str) -> None:
        """Choose from a menu."""
        assert option in self.shown["menu_options"]
        await self.enter({"next_step_id": option})

    async def enter(self, values: Mapping[str, str]) -> None:
        """Submit a form."""
        self.shown = await self._manager.async_configure(
            self.shown["flow_id"], dict(values)
        )

    async def choose_car(self, car: Car) -> None:
        """Choose from the list of cars."""
        await self.enter({"vehicle": car.connection_id})

    async def enter_ids(self, car: Car) -> None:
        """Leave the list, and enter the ids of a car."""
        await self.enter({"vehicle": "enter_ids"})
        await self.enter(ids_of(car))

    async def search_again(self) -> None:
        """Let the list of cars be asked for once more."""
        await self.enter({"vehicle": "search_again"})

    @property
    def step(self) -> str:
        """The form or menu that is shown."""
        return str(self.shown["step_id"])

    @property
    def errors(self) -> Mapping[str, str]:
        """The errors on the form that is shown."""
        return dict(self.shown["errors"])

    @property
    def prefilled(self) -> dict[str, Any]:
        """What the form has in it already."""
        fields = self.shown["data_schema"].schema
        return {
            str(field): field.description["suggested_value"]
            for field in fields
            if field.description
        }

    @property
    def labels(self) -> dict[str, str]:
        """The list of cars: what each is called, by its value."""
        return self._labels_of("vehicle")

    @property
    def users(self) -> dict[str, str]:
        """The list of a car's users: what each is called, by its value."""
        return self._labels_of("user_id")

    def _labels_of(self, field: str) -> dict[str, str]:
        """Return the labels of a list by their values."""
        options = self.shown["data_schema"].schema[field].config["options"]
        return {option["value"]: option["label"] for option in options}

    @property
    def told(self) -> Mapping[str, str]:
        """What fills the gaps in the words that are shown."""
        return dict(self.shown["description_placeholders"])

    @property
    def abort_reason(self) -> str:
        """Why the flow ended without anything new."""
        return str(self.shown["reason"])

    @property
    def entry(self) -> ConfigEntry:
        """The account that the flow has set up."""
        entry = self.shown["result"]
        assert isinstance(entry, ConfigEntry)
        return entry


def sensor_of(hass: HomeAssistant, car: Car) -> str:
    """Return the entity that shows the car's last execution."""
    entity_id = er.async_get(hass).async_get_entity_id(
        "sensor", DOMAIN, f"{car.vehicle_id}_last_execution"
    )
    assert entity_id is not None
    return entity_id


def device_of(hass: HomeAssistant, car: Car) -> str:
    """Return the car's device."""
    entity = er.async_get(hass).async_get(sensor_of(hass, car))
    assert entity is not None
    assert entity.device_id is not None
    return entity.device_id


def reauth_flows(hass: HomeAssistant) -> list[Any]:
    """Return the sign-in prompts that are open."""
    return hass.config_entries.flow.async_progress_by_handler(
        DOMAIN, match_context={"source": SOURCE_REAUTH}
    )


def reauth_issues(hass: HomeAssistant) -> list[str]:
    """Return Home Assistant's repair issues that lead to a sign-in prompt."""
    return [
        issue_id
        for _, issue_id in ir.async_get(hass).issues
        if issue_id.startswith(f"config_entry_reauth_{DOMAIN}_")
    ]


async def set_schedule(hass: HomeAssistant, car: Car = TESLA) -> None:
    """Use the car: one command."""
    data = {
        "device_id": device_of(hass, car),
        "start_time": "23:30",
        "stop_time": "05:30",
    }
    await hass.services.async_call(
        DOMAIN, "set_daily_charge_schedule", data, blocking=True
    )


def last_token(simulator: Simulator) -> str:
    """Return the token that the last command bore."""
    return simulator.creates[-1].headers["Authorization"].removeprefix("Bearer ")
