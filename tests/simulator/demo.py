"""Who is there when nothing else is said: shared by tests and demo."""

from typing import Final

from .cars import Car

DEMO_CLIENT_ID: Final = "client_demo0000-5a1e-4c0d-9b7f-3e2d1c0b9a88"
DEMO_CLIENT_SECRET: Final = "demo-secret-0f8b6f0e5d5c4b1f9a3e7c2d"

TESLA: Final = Car(
    vehicle_id="36ab27d0-fd9d-4455-823a-ce30af709ffc",
    user_id="218e8f6e-2c1b-4f0a-9d4e-7a5b3c2d1e0f",
    connection_id="553c4a1e-9b0d-4d6f-8f57-1f2e3d4c5b6a",
    make="TESLA",
    model="Model Y",
    year=2024,
)
VOLVO: Final = Car(
    vehicle_id="7d1c9e52-0b3a-4e8f-a6c4-5f2b8d9e1a30",
    user_id="c40a6b1d-8e7f-4a2c-b5d3-9e8f7a6b5c4d",
    connection_id="a92f6d3b-1c4e-4b7a-9e08-6d5c4b3a2f1e",
    make="VOLVO",
    model="EX40",
    year=2025,
    connected_at="2025-09-14T17:20:03.118Z",
)
