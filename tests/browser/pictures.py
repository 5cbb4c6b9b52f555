"""The README's screenshots, so that pictures and product never part."""

import os
from pathlib import Path
from typing import Final

from playwright.async_api import FloatRect, Locator

from . import KEPT

# `script/test-browser --pictures` names another: no two pictures of a run are alike.
_FOLDER: Final = Path(os.environ.get("PICTURES") or KEPT)


async def take_picture(
    name: str, part: Locator, *, until: Locator | None = None
) -> None:
    """Take a picture of a part, down to where another begins, for the README."""
    await _write(_FOLDER / f"{name}.png", part, until)


async def keep_picture(name: str, part: Locator) -> None:
    """Take a picture of a part for whoever wants to see what the run saw."""
    await _write(KEPT / f"{name}.png", part)


async def _write(path: Path, part: Locator, until: Locator | None = None) -> None:
    """Write what a part of the page looks like when nothing moves on it."""
    clip = await _box(part)
    if until is not None:
        clip["height"] = (await _box(until))["y"] - clip["y"]
    await part.page.mouse.move(0, 0)
    await part.page.screenshot(
        path=path, clip=clip, animations="disabled", caret="hide"
    )


async def _box(part: Locator) -> FloatRect:
    """Return where a part is on the page; it has to be there."""
    box = await part.bounding_box()
    assert box is not None
    return box
