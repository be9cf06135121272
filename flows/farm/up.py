"""`dubline up`: starts this machine's part of a farm, keeps it standing, and ends it in order.

Promises: one server and one of each worker on a home, held by locks of the operating system; what dies is started
again; Ctrl-C, SIGTERM or the end of the terminal end the workers first and then the server, and the runs that were in
the middle go back to their pool; even killed by SIGKILL it leaves no process behind (flows/farm/keeper.py).
"""

import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import IO, Final, Literal, cast, get_args

from flows.farm import env, server
from flows.farm.posts import Post
from flows.farm.workers import POOLS, Pool, of_machine
from storage.errors import DublineError, Missing, Refused
from storage.settings import settings

Role = Literal["all", "server", "worker"]

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

POLL_SECONDS: Final = 0.5
END_SECONDS: Final = 20.0  # for a worker or the server to end in order
HAND_BACK_SECONDS: Final = 10.0  # for the server to take a lost run back: on SQLite it may be locked for a minute
BEREFT_SECONDS: Final = 15.0  # how long a killed `dubline up`'s processes may still hold the port


def up(
    host: str = "127.0.0.1",
    port: int = 4200,
    role: Role = "all",
    pools: tuple[Pool, ...] = POOLS,
    cards: list[str] | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Run until a signal ends it.

    host, port  where the server listens
    role        server, worker, or all: both
    pools       which workers this machine has; cards: the CUDA devices to use, None for all
    raises      Refused where it runs already or the port is taken; Missing where the server does not come up
    """
    home = settings().home
    for name in ("logs", "locks", "prefect"):
        (home / name).mkdir(parents=True, exist_ok=True)
    workers = [] if role == "server" else of_machine(pools, cards)
    posts: list[Post] = []
    with ExitStack() as stack:
        for name in [*([] if role == "worker" else ["server"]), *(worker.name for worker in workers)]:
            stack.enter_context(_claimed(name))
        signals = stack.enter_context(_signals_interrupt())
        url = _address() if role == "worker" else server.api(host, port)
        try:
            if role == "worker":
                _wait_for(url, say)
            else:
                server.check_port(host, port, BEREFT_SECONDS if env.note().exists() else 0.0)
                stack.enter_context(_noted(url))
                _serve(host, port, url, posts, say)
            for worker in workers:
                posts.append(_post(worker.name, worker.command(), env.of_worker(url, worker.card)))
                posts[-1].start()
                where = f"card {worker.card}" if worker.card is not None else "the CPU"
                say(f"{worker.name:<16} serves the pool {worker.pool} on {where}, {_runs(worker.limit)} at once")
            say("farm             stands. Ctrl-C ends it.")
            _tend(posts, url, say, signals)
        except KeyboardInterrupt:
            say("farm             ends; runs in the middle go back to their pool")
        finally:
            _end(posts, url, say)


def asked(host: str, port: int, role: str, pools: list[str], cards: list[str] | None) -> None:
    """`up` with what was typed. Refused where that is not among what there is."""
    if role not in get_args(Role):
        raise Refused(f"--role {role}: there are {', '.join(get_args(Role))}.")
    for each in pools:
        if each not in POOLS:
            raise Refused(f"--pool {each}: there are {', '.join(POOLS)}.")
    chosen = tuple(pool for pool in POOLS if not pools or pool in pools)
    up(host, port, cast(Role, role), chosen, cards, lambda line: print(line, flush=True))


def _serve(host: str, port: int, url: str, posts: list[Post], say: Callable[[str], None]) -> None:
    """Start the server, fit it out, and write down where it is."""
    posts.append(post := _post("server", server.command(host, port), env.of_server(url)))
    post.start()
    server.wait_until_healthy(url, post.stands, str(post.log))
    _fit(url, posts)
    kind = "PostgreSQL" if os.environ.get(env.DATABASE, "").startswith("postgres") else "SQLite"
    say(f"server           {url.removesuffix('/api')}  ({kind}; logs in {post.log.parent})")


def _fit(url: str, posts: list[Post]) -> None:
    """In a process of its own, for it imports every flow, and this one shall stay small."""
    post = _post("fittings", [sys.executable, "-m", "flows.farm.fittings"], env.of_worker(url))
    posts.append(post)
    post.start()
    while post.stands():
        time.sleep(POLL_SECONDS)
    posts.remove(post)
    if code := post.code():
        raise Missing(f"The server stands, but fitting it out ended with code {code}. Why is in {post.log}.")


@contextmanager
def _noted(url: str) -> Iterator[None]:
    """While the block runs, every command on this home finds the farm."""
    env.note().write_text(json.dumps({"api": url, "process": os.getpid()}))
    try:
        yield
    finally:
        env.note().unlink(missing_ok=True)


def _address() -> str:
    """Of the server that these workers shall serve."""
    if (url := env.address()) is None:
        raise Missing("A worker needs a server: set DUBLINE_FARM to its API, like http://farm:4200/api.")
    return url


def _wait_for(url: str, say: Callable[[str], None]) -> None:
    """Until that server answers; Missing in words if it does not for minutes, or asks for another password."""
    if not server.healthy(url):
        say(f"server           {url} does not answer yet; waiting")
        server.wait_until_healthy(url, lambda: True, "home/logs of its machine")
    with env.reach(url):
        say(f"server           {url}")


def _tend(posts: list[Post], url: str, say: Callable[[str], None], signals: list[int]) -> None:
    """Until an interrupt, or the signal of one that was lost."""
    while not signals:
        for post in posts:
            if (fell := post.fallen()) is not None:
                told, lost = fell
                say(f"{post.name:<16} {told}")
                _hand_back(lost, url, f"{post.name} ended", say)
            elif post.tend():
                say(f"{post.name:<16} started again")
        time.sleep(POLL_SECONDS)
    raise KeyboardInterrupt


def _end(posts: list[Post], url: str, say: Callable[[str], None]) -> None:
    """Workers first, then the server. Signals are no longer heard: it takes seconds, and leaves nothing."""
    heard = {number: signal.signal(number, signal.SIG_IGN) for number in SIGNALS}
    try:
        workers = [post for post in posts if post.name != "server"]
        with ThreadPoolExecutor(max(1, len(workers))) as together:
            lost = [run for runs in together.map(lambda post: post.end(END_SECONDS), workers) for run in runs]
        _hand_back(lost, url, "its worker was stopped", say)
        for post in posts:
            post.end(END_SECONDS)
    finally:
        for number, handler in heard.items():
            signal.signal(number, handler)


def _hand_back(runs: list[str], url: str, why: str, say: Callable[[str], None]) -> None:
    if not runs:
        return
    import httpx

    from flows.farm.lost import hand_back

    try:
        with env.reach(url, HAND_BACK_SECONDS) as client:
            for name in hand_back(client, runs, why):
                say(f"{name:<16} goes back to its pool: {why}")
    except (DublineError, httpx.HTTPError) as error:  # then the server misses its heartbeats
        say(f"farm             {str(error) or type(error).__name__}")


def _post(name: str, command: list[str], given: dict[str, str]) -> Post:
    return Post(name, command, given, _log(name), settings().home)


def _log(name: str) -> Path:
    """Where a process of this run writes; what it wrote in the run before is kept beside it."""
    log = settings().home / "logs" / f"{name}.log"
    if log.exists():
        log.replace(log.with_name(f"{name}.1.log"))
    return log


def _runs(number: int) -> str:
    return "one run" if number == 1 else f"{number} runs"


@contextmanager
def _claimed(name: str) -> Iterator[None]:
    """Hold the lock of the server, or of a worker, on this home."""
    with env.lock(name).open("a+") as lock:
        if not _locked(lock):
            lock.seek(0)
            holder = lock.read().strip() or "another process"
            raise Refused(
                f"The farm's {name} runs on this home already, kept by {holder}. End that one first (Ctrl-C, or "
                f"SIGTERM), or set another DUBLINE_HOME."
            )
        lock.truncate(0)
        lock.write(f"process {os.getpid()}")
        lock.flush()
        yield
        lock.truncate(0)


def _locked(lock: IO[str]) -> bool:
    """Whether we have it now. Who only looks whether it is held (env.held) has it for an instant, and is waited for."""
    for _ in range(5):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.05)
        else:
            return True
    return False


@contextmanager
def _signals_interrupt() -> Iterator[list[int]]:
    """Each of them does what Ctrl-C does, unless whoever started us wants it ignored, as nohup does.

    Yields the signals that came: code that cannot be interrupted, as a destructor, swallows the interrupt itself.
    """
    told: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        told.append(number)
        signal.default_int_handler(number, frame)

    before = {number: signal.getsignal(number) for number in SIGNALS}
    ours = [number for number in SIGNALS if before[number] is not signal.SIG_IGN]
    for number in ours:
        signal.signal(number, interrupt)
    try:
        yield told
    finally:
        for number in ours:
            signal.signal(number, before[number])
