"""The README's screenshots, so that pictures and product never part."""

from pathlib import Path
from typing import Final

from playwright.async_api import FloatRect, Locator

_IMAGES: Final = Path(__file__).resolve().parent.parent.parent / "docs" / "images"


async def take_picture(
    name: str, part: Locator, *, until: Locator | None = None
) -> None:
    """Write a part of the page to `docs/images/`, down to where another part begins."""
    clip = await _box(part)
    if until is not None:
        clip["height"] = (await _box(until))["y"] - clip["y"]
    await part.page.mouse.move(0, 0)
    await part.page.screenshot(
        path=_IMAGES / f"{name}.png", clip=clip, animations="disabled", caret="hide"
    )


async def _box(part: Locator) -> FloatRect:
    """Return where a part is on the page; it has to be there."""
    box = await part.bounding_box()
    assert box is not None
    return box
