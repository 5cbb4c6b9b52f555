"""What a person sees and touches: the real frontend in a real browser.

`script/test-browser` runs it.
"""

from pathlib import Path
from typing import Final

# A loaded machine with two cores takes its time.
TIMEOUT: Final = 60
# What a run leaves behind: Home Assistant's folder, and trace and picture of a test
# that failed.
KEPT: Final = Path(__file__).resolve().parent.parent.parent / ".browser"
