"""Nothing that the integration uses is going away, on any tested Home Assistant.

Every test asks for this; here is shown that it would be noticed, in the words of the
Home Assistant at hand.
"""

from collections.abc import Callable
import subprocess
import sys
from typing import Final
import warnings

from homeassistant.core import HomeAssistant
from homeassistant.helpers.deprecation import (
    DeprecatedConstant,
    check_if_deprecated_constant,
    deprecated_function,
)
from homeassistant.helpers.frame import report_usage
import pytest

from custom_components.smartcar_charging.const import DOMAIN

_MODULE: Final = f"custom_components.{DOMAIN}.smartcar.deliberate"
_IMPORT_ALL: Final = """
import importlib, pkgutil, warnings
warnings.filterwarnings("error", module=r"custom_components\\.smartcar_charging")
package = importlib.import_module("custom_components.smartcar_charging")
for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
    print(importlib.import_module(module.name).__name__)
"""


def run_as_ours(call: Callable[[], object]) -> None:
    """Call something from code that looks as if it was a module of the integration."""
    code = compile("call()", f"/config/{_MODULE.replace('.', '/')}.py", "exec")
    exec(code, {"__name__": _MODULE, "call": call})  # noqa: S102  # a file name is all that Home Assistant looks at


def use_reported() -> None:
    """Do what Home Assistant reports while it runs."""
    report_usage("does what will not work for long", breaks_in_ha_version="2099.1.0")


@deprecated_function("something_new")
def use_function() -> None:
    """Be a function that is going away."""


def use_constant() -> None:
    """Read a constant that is going away."""
    check_if_deprecated_constant(
        "OLD",
        {"__name__": "old", "_DEPRECATED_OLD": DeprecatedConstant(1, "NEW", None)},
    )


@pytest.mark.parametrize("use", [use_reported, use_function, use_constant])
async def test_use_of_what_is_going_away_is_noticed(
    hass: HomeAssistant, complaints: list[str], use: Callable[[], object]
) -> None:
    """Home Assistant only logs it, once; a test that meets it fails."""
    run_as_ours(use)
    (complaint,) = complaints
    assert DOMAIN in complaint
    complaints.clear()


def test_python_warning_is_an_error() -> None:
    """It may be against any module of the integration, also one further down."""
    with pytest.raises(DeprecationWarning, match="old"):
        run_as_ours(lambda: warnings.warn("old", DeprecationWarning, stacklevel=2))


def test_importing_uses_nothing_that_is_going_away() -> None:
    """Another process imports all modules: here no test listens early enough."""
    importing = [sys.executable, "-c", _IMPORT_ALL]
    done = subprocess.run(importing, check=False, capture_output=True, text=True)  # noqa: S603  # our own words
    assert (done.returncode, done.stderr) == (0, "")
    assert f"custom_components.{DOMAIN}.smartcar.client" in done.stdout.splitlines()
