"""What the package offers to others."""

from custom_components.smartcar_charging import smartcar


def test_public_names_exist() -> None:
    """What the package offers is there, in order."""
    assert smartcar.__all__ == sorted(smartcar.__all__)
    assert all(hasattr(smartcar, name) for name in smartcar.__all__)
