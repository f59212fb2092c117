"""Who may do what in Redis: the least rights that each service needs, as an ACL file of Redis 7 or Valkey.

Each right is a selector of its own, commands together with the keys that they may touch: who may read a stream cannot
write to it. Source of the syntax: https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from moodstream.contracts.events import (
    EVENTS,
    CommandHeard,
    Event,
    FacesRead,
    FeedbackGiven,
    MoodChanged,
    PlaybackChanged,
    ReplyGiven,
    RequestMade,
    SongPicked,
    SongsOffered,
    SongsRanked,
    StatusChanged,
    VoiceRead,
    WordsRead,
)
from moodstream.contracts.streams import CAPTURES, DEAD_SUFFIX, FRAMES, SOUNDS, STREAMS
from moodstream.errors import MoodstreamError
from shared.contracts.mounting_view import PICTURE, WANTED, WATCHED

Server = Literal["events", "frames", "both"]

CONNECT = "time ping hello auth select role wait client|setname client|id cluster|slots"
"""Without ``client|setinfo``, which Redis 7.0 does not know; newer servers refuse it, and clients go on without it."""
PUT = "xadd xtrim"
WRITE = f"{PUT} xlen"
READ = "xread xrange xrevrange xlen xinfo|groups"
LENGTHS = "exists xlen xinfo|groups"
"""Not ``xinfo|stream``, whose answer holds the first and the last entry."""
GROUP = (
    f"{READ} xinfo|stream xinfo|consumers xreadgroup xack xclaim xautoclaim xpending"
    " xgroup|create xgroup|createconsumer xgroup|delconsumer"
)
TRANSACTION = "multi exec discard"
FRAMES_CHECKED = "frames-checked"
VALUE = "get set del"
LEASE = f"{VALUE} eval"
HASH = "hset hget hgetall hdel hlen hincrby hsetnx del expire"
BEAT = "zadd zremrangebyscore zrange expire"
SORTED = "zadd zrange zrangebyscore zrem zremrangebyscore zcard zpopmax del expire"

Kinds = tuple[type[Event], ...]
FOR_EVERYBODY: Kinds = (
    MoodChanged,
    SongsOffered,
    SongPicked,
    SongsRanked,
    FeedbackGiven,
    PlaybackChanged,
    StatusChanged,
)
"""The public events: no readings of people, no requests or replies."""


@dataclass(frozen=True)
class Rights:
    """What one user needs; keys are patterns without the prefix of the site, with their commands."""

    captures: tuple[tuple[str, Literal["write", "read"]], ...] = ()
    """streams on the server of the frames, and what is done with them"""
    checks_frames_server: bool = False
    """whether it finds out if that server writes to a disk, and notes it for the others"""
    handles: Kinds = ()
    """read as a consumer group of its own name, maybe with a hyphen and more; failures go to the dead letters"""
    follows: Kinds = ()
    """read without a group"""
    puts_aside: Kinds = ()
    """of those, what goes to the dead letters where it is no event, since no group sees to that"""
    writes: Kinds = ()
    monitors: bool = False
    """whether it shows operators the state of all streams and of the servers"""
    keys: tuple[tuple[str, str], ...] = ()
    """patterns with spaces between, and the commands that are for them; one command may name all of them"""
    beside_frames: tuple[tuple[str, str], ...] = ()
    """the same on the server of the frames; what begins with % is for reading or writing alone"""


RIGHTS: Mapping[str, Rights] = {
    "camera": Rights(
        captures=((FRAMES, "write"),),
        handles=(RequestMade,),
        follows=(MoodChanged,),
        writes=(StatusChanged, ReplyGiven),
    ),
    "emotion": Rights(
        captures=((FRAMES, "read"),),
        checks_frames_server=True,
        follows=(FacesRead, WordsRead, VoiceRead, MoodChanged, StatusChanged, RequestMade),
        writes=(FacesRead, MoodChanged, ReplyGiven, StatusChanged),
        keys=(("lease:tracker:*", LEASE), ("lease:tracker:* moods", "eval get xadd"), ("tracker:place:*", VALUE)),
        beside_frames=((f"%R~{WANTED} %R~{WATCHED}", "get"), (f"%W~{PICTURE}", "set del")),
    ),
    "recommender": Rights(
        handles=(MoodChanged, SongPicked, FeedbackGiven, PlaybackChanged, RequestMade),
        writes=(SongsOffered, SongPicked, SongsRanked, ReplyGiven, StatusChanged),
        keys=(
            ("choosing:* offered:*", VALUE),
            ("said:* went:* profile:* profile-of:*", f"{HASH} hget get set"),
            ("heard profiles-new", SORTED),
            ("learned:* learned-from:*", "hgetall hdel del eval sadd expire hincrbyfloat"),
        ),
    ),
    "player": Rights(
        follows=(MoodChanged, SongsRanked, RequestMade),
        puts_aside=(SongsRanked,),
        writes=(PlaybackChanged, ReplyGiven, StatusChanged),
        keys=(("lease:player player:kept player:aside", LEASE),),
    ),
    "gateway": Rights(
        captures=((FRAMES, "write"), (SOUNDS, "write")),
        follows=(*FOR_EVERYBODY, FacesRead, CommandHeard, ReplyGiven),
        writes=(WordsRead, SongPicked, FeedbackGiven, StatusChanged, RequestMade),
        keys=(("opening self-test", VALUE), ("obeyed:*", "set"), ("consents:*", "hincrby hgetall expire")),
        beside_frames=(
            (f"~{WANTED} ~{WATCHED}", "get set del"),
            (f"%R~{PICTURE}", "get"),
            (f"%W~{PICTURE}", "del"),
        ),
        monitors=True,
    ),
    "voice": Rights(
        captures=((SOUNDS, "read"),),
        follows=(MoodChanged, RequestMade),
        writes=(VoiceRead, CommandHeard, StatusChanged),
    ),
    "bridge": Rights(
        handles=FOR_EVERYBODY,
        follows=(StatusChanged, MoodChanged, PlaybackChanged, FacesRead, ReplyGiven),
        writes=(RequestMade, StatusChanged),
        keys=(("webhooks:*", f"{HASH} {SORTED} eval"),),
    ),
}
"""Of each service."""

DEMO = Rights(
    handles=(RequestMade,),
    follows=(MoodChanged, SongsOffered, SongPicked),
    writes=(MoodChanged, SongPicked, StatusChanged, ReplyGiven),
)
"""Of a camera service that simulates visitors."""

SUBSCRIBER = Rights(follows=FOR_EVERYBODY)
"""Of anybody's own software: it reads, and nothing else."""

OPERATOR = Rights(follows=EVENTS, writes=EVENTS, keys=(("webhooks:*", f"{HASH} {SORTED}"),))
"""Of a person at a terminal: ``moodstream dead``, ``listen``, ``record``, ``player``, ``webhooks``, ``simulate``."""

PEOPLE = ("subscriber", "operator")

SCALER = "scaler"
"""Of a program that adds workers while frames wait, such as KEDA: it may count them."""

USERS = (*RIGHTS, "demo", *PEOPLE, SCALER, "all")
"""``all`` is for ``moodstream run``, which is every service in one process."""


def acl_file(prefix: str, server: Server, hashes: Mapping[str, str]) -> str:
    """The text of the file; ``hashes`` are the SHA-256 of the passwords, in hexadecimal, of the users that it names.

    Raises MoodstreamError for a prefix with a space in it, which the file's syntax cannot hold.
    """
    if re.search(r"\s", prefix):
        raise MoodstreamError("MOODSTREAM_PREFIX: an ACL file cannot hold a prefix with spaces")
    # Nobody can be it, but as this user Redis plays back its own append-only file: with fewer rights it would leave out
    # every transaction in there, without a word.
    lines = ["user default off resetpass ~* &* +@all"]
    for user in filter(hashes.__contains__, USERS):
        rights = " ".join(_selectors(user, re.sub(r"([*?\[\]\\])", r"\\\1", prefix), server))
        lines.append(f"user {user} on #{hashes[user]} sanitize-payload resetchannels resetkeys -@all {rights}".rstrip())
    return "\n".join(lines) + "\n"


def _selectors(user: str, prefix: str, server: Server) -> Iterator[str]:
    yield _commands(CONNECT)
    if server != "frames":
        yield from _event_rights(user, prefix)
    if server != "events":
        if user == SCALER:
            yield f"({_commands('xlen xinfo|groups xpending')} %R~{prefix}{FRAMES})"
        if any(rights.monitors for rights in _rights(user).values()):
            names = (prefix + name for name in CAPTURES.values())
            yield f"+info ({_commands(LENGTHS)} {_keys(names, '%R~')})"
        for rights in _rights(user).values():
            for patterns, commands in rights.beside_frames:
                keys = " ".join(pattern.replace("~", f"~{prefix}", 1) for pattern in patterns.split())
                yield f"({_commands(commands)} {keys})"
        yield from dict.fromkeys(
            right for rights in _rights(user).values() for right in _capture_rights(rights, prefix)
        )


def _capture_rights(rights: Rights, prefix: str) -> Iterator[str]:
    for stream, way in rights.captures:
        if way == "write":
            yield f"({_commands(PUT)} %W~{prefix}{stream})"
        else:
            yield f"({_commands(GROUP)} +xdel ~{prefix}{stream})"
    # Before the first picture, whether the server writes to a disk (shared.delivery.frames_server). Who reads pictures
    # anyway may see the configuration, which holds the password of replicas, and notes what it found.
    if rights.checks_frames_server:
        yield f"+info +config|get (+get +set ~{prefix}{FRAMES_CHECKED})"
    elif rights.captures:
        yield f"+info (+get %R~{prefix}{FRAMES_CHECKED})"


def _rights(user: str) -> Mapping[str, Rights]:
    """By the name of the group."""
    if user == "demo":
        return {"camera": DEMO}
    others = {"subscriber": SUBSCRIBER, "operator": OPERATOR, SCALER: Rights()}
    return {**RIGHTS, "demo": DEMO} if user == "all" else {user: RIGHTS.get(user) or others[user]}


def _event_rights(user: str, prefix: str) -> Iterator[str]:
    parts = _rights(user)
    if any(rights.handles for rights in parts.values()):
        yield _commands(TRANSACTION)
    for group, rights in parts.items():
        handled, followed, written = ([prefix + STREAMS[kind].name for kind in kinds] for kinds in _kinds(rights))
        if group in RIGHTS:
            yield f"({_commands(BEAT)} ~{prefix}alive:{group})"
        if handled:
            yield f"({_commands(GROUP)} {_keys(handled)})"
            yield f"({_commands(WRITE)} {_keys(f'{name}{DEAD_SUFFIX}' for name in handled)})"
            yield f"({_commands('get set')} {_keys(f'{name}:done:{group}[-:]*' for name in handled)})"
        if rights.puts_aside:
            dead = (prefix + STREAMS[kind].name + DEAD_SUFFIX for kind in rights.puts_aside)
            yield f"({_commands(WRITE)} {_keys(dead)})"
        if followed:
            yield f"({_commands(READ)} {_keys(followed, '%R~')})"
        if written:
            yield f"({_commands(PUT)} {_keys(written, '%W~')})"
        if rights.monitors:
            yield f"(+zrange %R~{prefix}alive:*)"
            names = [prefix + name for name in (*CAPTURES.values(), *(stream.name for stream in STREAMS.values()))]
            yield f"+info ({_commands(LENGTHS)} {_keys((*names, *(name + DEAD_SUFFIX for name in names)), '%R~')})"
        for patterns, commands in rights.keys:
            yield f"({_commands(commands)} {_keys(prefix + pattern for pattern in patterns.split())})"
    if user == "operator":
        yield _commands(f"{TRANSACTION} scan")
        yield f"({_commands(f'{READ} {WRITE} xdel')} ~{prefix}*{DEAD_SUFFIX})"
    if user == "all":
        yield f"({_commands(READ)} {_keys((prefix + stream.name for stream in STREAMS.values()), '%R~')})"


def _kinds(rights: Rights) -> tuple[Kinds, Kinds, Kinds]:
    return rights.handles, rights.follows, rights.writes


def _commands(names: str) -> str:
    return " ".join(f"+{name}" for name in dict.fromkeys(names.split()))


def _keys(names: Iterable[str], kind: str = "~") -> str:
    return " ".join(f"{kind}{name}" for name in names)
