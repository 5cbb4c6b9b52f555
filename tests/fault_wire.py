"""The rows of the fault table that are not one answer, but a way to it."""

from collections.abc import Iterator
from typing import Final

from tests.fault_stage import (
    connected,
    fail,
    found_by_name,
    hang_up,
    in_turn,
    lasting,
    never,
    nobody_accepts,
    nobody_listens,
    not_tls,
    raw,
    reset,
    restarted,
    stay_silent,
    too_slow,
    with_a_rejected_token,
    without_a_token,
)
from tests.faults import (
    LIMITED,
    LOST,
    NOT_CONNECTED,
    NOT_NOW,
    REJECTED,
    Row,
    failed,
    success,
    unconfirmed,
)
from tests.simulator import Cut, Fault
from tests.smartcar.conftest import hanging_up, sending

REFUSED_CLIENT: Final = Fault(status=401, body={"error": "invalid_client"})
UNHEARD: Final = unconfirmed(creates=0)
SUCCESS: Final = b'{"data": {"attributes": {"status": {"value": "SUCCESS"}}}}'


def limited(retry_after: str) -> Fault:
    """Answer that there were too many requests, and when there may be more."""
    return Fault.error(
        429, "RATE_LIMIT", "VEHICLE", headers={"Retry-After": retry_after}
    )


def again_rows() -> Iterator[Row]:
    """Return what is sent again, and what is not."""
    expired, cut, asleep = (
        Fault.error(401, "AUTHENTICATION"),
        Fault(cut=Cut.BEFORE_ANSWER),
        Fault.error(409, "NEW"),
    )
    for name, arrange, expected in (
        ("401-once", in_turn(expired), success(creates=2)),
        ("401-then-cut", in_turn(expired, cut), unconfirmed(creates=2)),
        ("401-then-429-at-once", in_turn(expired, limited("0")), success(creates=3)),
        (
            "401-429-401",
            in_turn(expired, limited("0"), expired),
            failed("authentication_failed", creates=3),
        ),
        ("429-at-once", in_turn(limited("0")), success(creates=2)),
        (
            "429-at-once-twice",
            in_turn(limited("0"), limited("0")),
            failed("rate_limited", creates=2, can_retry=True),
        ),
        ("429-at-once-then-cut", in_turn(limited("0"), cut), unconfirmed(creates=2)),
        (
            "429-at-once-then-409",
            in_turn(limited("0"), asleep),
            failed("refused_by_vehicle", creates=2, can_retry=True),
        ),
        *(
            (f"429-after-{after}", lasting(limited(after)), LIMITED)
            for after in (
                "61",
                "-1",
                "1.5",
                "soon",
                "Wed, 21 Oct 2026 07:28:00 GMT",
                "9" * 30,
            )
        ),
        (
            "429-html-at-once",
            lasting(Fault(status=429, headers={"Retry-After": "0"}, executes=True)),
            LOST,
        ),
        (
            "429-unknown-type",
            lasting(Fault.error(429, "NEW", headers={"Retry-After": "0"})),
            LIMITED,
        ),
        (
            "429-UPSTREAM",
            lasting(Fault.error(429, "UPSTREAM", headers={"Retry-After": "0"})),
            LOST,
        ),
        (
            "409-with-retry-after",
            lasting(Fault.error(409, "VEHICLE_STATE", headers={"Retry-After": "0"})),
            NOT_NOW,
        ),
        (
            "503-with-retry-after",
            lasting(Fault(status=503, headers={"Retry-After": "0"}, executes=True)),
            LOST,
        ),
        (
            "token-refused",
            without_a_token(REFUSED_CLIENT),
            failed("authentication_failed", creates=0),
        ),
        ("401-then-token-refused", with_a_rejected_token(REFUSED_CLIENT), REJECTED),
        (
            "401-then-token-500",
            with_a_rejected_token(Fault(status=500)),
            failed("not_sent", can_retry=True),
        ),
        ("token-500", without_a_token(Fault(status=500)), NOT_CONNECTED),
        (
            "token-503-for-long",
            without_a_token(Fault(status=503, headers={"Retry-After": "3600"})),
            NOT_CONNECTED,
        ),
        ("token-html", without_a_token(Fault(body="<html>")), NOT_CONNECTED),
        ("token-cut", without_a_token(Fault(cut=Cut.BEFORE_ANSWER)), NOT_CONNECTED),
        (
            "token-401-html",
            without_a_token(Fault(status=401, body="<html>")),
            NOT_CONNECTED,
        ),
    ):
        yield Row(name=name, arrange=arrange, expected=expected)


def stream_rows() -> Iterator[Row]:
    """Return what can come of an answer that takes its time."""
    silence = ((0, b" "), (60, None))
    for name, arrange, expected in (
        ("202-streamed-success", lasting(Fault.streamed(0.05)), success()),
        (
            "202-success-in-pieces",
            lasting(Fault(status=202, chunks=((0, b" "), (0.05, b"\n"), (0, None)))),
            success(),
        ),
        ("202-streamed-nothing", lasting(Fault.streamed(0.01, body=None)), LOST),
        ("202-streamed-html", lasting(Fault.streamed(0.01, body="<html>")), LOST),
        ("202-cut", lasting(Fault.streamed(0.01, cut=Cut.MID_BODY)), LOST),
        (
            "202-cut-before-anything",
            lasting(Fault(status=202, body=b"", cut=Cut.MID_BODY)),
            LOST,
        ),
        ("202-silence", too_slow(Fault(status=202, chunks=silence)), LOST),
        ("200-cut", lasting(Fault(cut=Cut.MID_BODY)), LOST),
        (
            "403-cut",
            lasting(Fault(status=403, body="<html>", cut=Cut.MID_BODY, executes=True)),
            LOST,
        ),
        (
            "500-cut",
            lasting(Fault(status=500, body="<html>", cut=Cut.MID_BODY, executes=True)),
            LOST,
        ),
        ("slow-success", lasting(Fault.slow(0.05)), success()),
        ("no-answer", too_slow(Fault.slow(60)), LOST),
        ("not-gzip", lasting(Fault(headers={"Content-Encoding": "gzip"})), LOST),
    ):
        yield Row(name=name, arrange=arrange, expected=expected)


def wire_rows() -> Iterator[Row]:
    """Return what breaks below HTTP; `creates` counts requests read in part, too."""
    for name, arrange, expected in (
        ("refused", nobody_listens, NOT_CONNECTED),
        ("unknown-name", found_by_name(fail), NOT_CONNECTED),
        ("silent-name-server", found_by_name(never), NOT_CONNECTED),
        ("not-tls", not_tls, NOT_CONNECTED),
        ("tls-silence", connected(stay_silent, "https"), NOT_CONNECTED),
        ("tls-hung-up", connected(hang_up, "https"), NOT_CONNECTED),
        ("tls-reset", connected(reset, "https"), NOT_CONNECTED),
        ("nobody-accepts", nobody_accepts, NOT_CONNECTED),
        # A connection was made: what the other side read of it can not be known.
        ("reset-before-it-was-read", connected(reset, "http"), UNHEARD),
        ("hung-up-before-it-was-read", connected(hang_up, "http"), UNHEARD),
        ("never-read", connected(stay_silent, "http"), UNHEARD),
        ("reset-after-it-was-read", lasting(Fault(cut=Cut.BEFORE_ANSWER)), LOST),
        ("hung-up-after-it-was-read", raw(hanging_up()), LOST),
        ("silence-after-it-was-read", raw(sending(b"")), LOST),
        ("not-http", raw(hanging_up(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")), LOST),
        ("half-a-status-line", raw(hanging_up(b"HTTP/1.1 20")), LOST),
        ("half-the-headers", raw(hanging_up(b"HTTP/1.1 200 OK\r\nContent-Le")), LOST),
        (
            "success-too-short",
            raw(
                hanging_up(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + SUCCESS)
            ),
            LOST,
        ),
        (
            "101",
            raw(
                sending(
                    b"HTTP/1.1 101 Switching Protocols\r\n"
                    b"Upgrade: x\r\nConnection: upgrade\r\n\r\n"
                )
            ),
            LOST,
        ),
        ("100-for-ever", raw(sending(b"HTTP/1.1 100 Continue\r\n\r\n")), LOST),
        ("server-restarted", restarted, success()),
    ):
        yield Row(name=name, arrange=arrange, expected=expected)
