"""The benchmark: a real Home Assistant, a simulated Smartcar, and what they cost."""

from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parent.parent.parent
