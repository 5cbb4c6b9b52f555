"""A simulator of the Smartcar V3 API: a real server for tests, demo and benchmark."""

from .answers import REQUEST_ID, Answer, error_body
from .cars import MAX_SCHEDULES, Car, CreateMode, Schedule, Vehicle
from .demo import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, TESLA, VOLVO
from .faults import NORMAL, REMOVED, Cut, Fault
from .received import ReceivedRequest
from .server import Simulator

__all__ = [
    "DEMO_CLIENT_ID",
    "DEMO_CLIENT_SECRET",
    "MAX_SCHEDULES",
    "NORMAL",
    "REMOVED",
    "REQUEST_ID",
    "TESLA",
    "VOLVO",
    "Answer",
    "Car",
    "CreateMode",
    "Cut",
    "Fault",
    "ReceivedRequest",
    "Schedule",
    "Simulator",
    "Vehicle",
    "error_body",
]
