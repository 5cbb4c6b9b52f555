"""Starting and ending a Home Assistant process."""

import asyncio
from collections.abc import Callable
from pathlib import Path
import shutil
import signal
import sys
from typing import IO, Final

import aiohttp

_REPOSITORY: Final = Path(__file__).resolve().parent.parent.parent
_STOP_SECONDS: Final = 30

# Not `default_config`, which brings audio, Bluetooth and the like along.
_CONFIGURATION: Final = """\
homeassistant:
  name: Home
  latitude: 52.3731
  longitude: 4.8926
  elevation: 2
  unit_system: metric
  time_zone: Europe/Amsterdam
  country: NL
  currency: EUR
http:
  server_host: 127.0.0.1
  server_port: {port}
api:
automation:
config:
frontend:
script:
logger:
  default: warning
  logs:
    custom_components.smartcar_charging: debug
"""
# What only a person looks at; with it comes a database, which makes starting and ending
# slower.
_HISTORY: Final = """\
history:
logbook:
"""


class HomeAssistantProcess:
    """A Home Assistant with the integration, and a folder for what it keeps."""

    def __init__(self, config_dir: Path, port: int, smartcar_url: str) -> None:
        """Take the folder, the user interface's port, and our Smartcar's address."""
        self.config_dir = config_dir
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log = config_dir / "output.log"
        self._smartcar_url = smartcar_url
        self._process: asyncio.subprocess.Process | None = None
        self._output: IO[bytes] | None = None

    def prepare(self, *, history: bool = True) -> None:
        """Begin with an empty folder that has the integration in it."""
        shutil.rmtree(self.config_dir, ignore_errors=True)
        self.config_dir.mkdir(parents=True)
        configuration = _CONFIGURATION.format(port=self.port) + (
            _HISTORY if history else ""
        )
        (self.config_dir / "configuration.yaml").write_text(configuration)
        (self.config_dir / "custom_components").symlink_to(
            _REPOSITORY / "custom_components", target_is_directory=True
        )

    async def start(
        self, timeout: float, on_wait: Callable[[], None] = lambda: None
    ) -> None:
        """Start Home Assistant; return once it answers, or raise RuntimeError."""
        self._output = self.log.open("ab")
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.home.launcher",
            str(self.config_dir),
            self._smartcar_url,
            cwd=_REPOSITORY,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=self._output,
            stderr=asyncio.subprocess.STDOUT,
        )
        deadline = asyncio.get_running_loop().time() + timeout
        async with aiohttp.ClientSession() as session:
            while not await self._answers(session):
                if self._process.returncode is not None:
                    raise RuntimeError(
                        f"Home Assistant ended with code {self._process.returncode}:\n"
                        f"{self.log_tail()}"
                    )
                if asyncio.get_running_loop().time() > deadline:
                    raise RuntimeError(
                        f"Home Assistant did not start within {timeout:.0f} s:\n"
                        f"{self.log_tail()}"
                    )
                on_wait()
                await asyncio.sleep(0.1)

    async def stop(self) -> int | None:
        """End Home Assistant, by force if it does not heed; return its exit code."""
        if (process := self._process) is None:
            return None
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(_STOP_SECONDS):
                    await process.wait()
            except TimeoutError:
                await self.kill()
        self._close()
        return process.returncode

    async def kill(self) -> None:
        """End Home Assistant as a power cut would."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        self._close()

    def stored(self, key: str) -> str:
        """Return what is in one of Home Assistant's files; nothing before it exists."""
        path = self.config_dir / ".storage" / key
        return path.read_text() if path.exists() else ""

    async def wait_until_stored(self, key: str, text: str, timeout: float) -> None:
        """Wait for a text in one of Home Assistant's files: most are written later."""
        async with asyncio.timeout(timeout):
            while text not in self.stored(key):
                await asyncio.sleep(0.1)

    def log_tail(self, lines: int = 30) -> str:
        """Return the end of what Home Assistant said."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    async def _answers(self, session: aiohttp.ClientSession) -> bool:
        """Whether the user interface is there."""
        try:
            async with session.get(f"{self.url}/manifest.json") as response:
                return response.status == 200
        except aiohttp.ClientError, OSError:
            return False

    def _close(self) -> None:
        """Let go of the output file."""
        if self._output is not None:
            self._output.close()
        self._output = self._process = None
