"""The benchmark: a real Home Assistant, our simulator of Smartcar in a process of its own, and what they cost."""

from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parent.parent.parent
