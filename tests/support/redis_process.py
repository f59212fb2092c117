"""A real redis-server that can be killed, stopped and brought back, and a line to it that can be held up or cut."""

import asyncio
import contextlib
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from tests.support.needs import missing
from tests.support.ports import free_port

START_S = 20.0


class Server:
    """On a port of its own, which it keeps; ``--appendonly yes`` among the options keeps what it holds, too."""

    def __init__(self, folder: Path, *options: str, password: str | None = None) -> None:
        self.folder, self._password, self.port = folder, password, free_port()
        self._options = (*options, *(("--requirepass", password) if password else ()))
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Server":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        binary = shutil.which("redis-server") or missing("redis-server")
        self.folder.mkdir(parents=True, exist_ok=True)
        common = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", ""]
        log = ["--logfile", str(self.folder / "redis.log")]
        self._process = subprocess.Popen([binary, *common, *log, *self._options], stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            try:
                with self.client() as client:
                    client.ping()
                    return
            except RedisError:  # not there yet, or it still reads its file
                time.sleep(0.02)
        self.kill()
        raise AssertionError((self.folder / "redis.log").read_text()[-2_000:])

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """As a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def client(self, **options: Any) -> Any:
        """A synchronous client of its own, without retries."""
        return Redis(
            port=self.port,
            password=self._password,
            socket_timeout=3,
            socket_connect_timeout=1,
            retry=Retry(NoBackoff(), 0),
            **options,
        )


class Line:
    """A TCP connection in between: what one side sends can be held up or delayed, and connections can be cut."""

    def __init__(self, target_port: int, round_trip_s: float = 0.0) -> None:
        """``round_trip_s``: half of it passes before anything arrives, either way; may be changed at any time."""
        self._target_port, self.port = target_port, 0
        self.round_trip_s = round_trip_s
        self.round_trips = 0
        """how often a client has sent something, and waited for the answer before it sent more on that connection"""
        self._loop = asyncio.new_event_loop()
        self._open: asyncio.Event
        self._writers: set[asyncio.StreamWriter] = set()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True)

    def start(self) -> None:
        self._thread.start()
        assert self._started.wait(5)

    def pause(self) -> None:
        self._loop.call_soon_threadsafe(self._open.clear)

    def resume(self) -> None:
        self._loop.call_soon_threadsafe(self._open.set)

    def cut(self) -> None:
        self._loop.call_soon_threadsafe(self._cut)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(5)
        self._loop.close()

    async def _serve(self) -> None:
        self._open, self._stopping = asyncio.Event(), asyncio.Event()
        self._open.set()
        connections = set[asyncio.Task[None]]()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connections.add(carrying := asyncio.create_task(self._carry(reader, writer)))
            carrying.add_done_callback(connections.discard)

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stopping.wait()
        server.close()
        self._cut()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _cut(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(self.round_trip_s)  # as long as the two ends need to agree that there is a connection
        try:
            onward, back = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            writer.transport.abort()
            return
        ours = {writer, back}
        self._writers |= ours
        try:
            # the first side that ends, ends both
            asked = _Turns()
            sides = [
                asyncio.create_task(self._pump(reader, back, asked.client_sent)),
                asyncio.create_task(self._pump(onward, writer, asked.server_sent)),
            ]
            await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
            for side in sides:
                side.cancel()
            await asyncio.gather(*sides, return_exceptions=True)
        finally:
            self._writers -= ours
            for one in ours:
                one.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, begins_a_turn: Callable[[], bool]
    ) -> None:
        """Every byte arrives half a round trip after it was sent, however many are on their way."""
        on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        arriving = asyncio.create_task(self._arrive(on_the_way, writer))
        try:
            with contextlib.suppress(OSError):
                while data := await reader.read(65_536):
                    self.round_trips += begins_a_turn()
                    on_the_way.put_nowait((self._loop.time() + self.round_trip_s / 2, data))
            on_the_way.put_nowait((self._loop.time() + self.round_trip_s / 2, b""))
            await arriving
        finally:
            arriving.cancel()

    async def _arrive(self, on_the_way: "asyncio.Queue[tuple[float, bytes]]", writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while True:
                at_s, data = await on_the_way.get()
                if (left_s := at_s - self._loop.time()) > 0:
                    await asyncio.sleep(left_s)
                await self._open.wait()
                if not data:
                    return
                writer.write(data)
                await writer.drain()


class _Turns:
    """Who sent last on one connection."""

    def __init__(self) -> None:
        self._clients_turn = True

    def client_sent(self) -> bool:
        """Whether a round trip begins with this."""
        begins, self._clients_turn = self._clients_turn, False
        return begins

    def server_sent(self) -> bool:
        self._clients_turn = True
        return False
