"""Simulated participants who come over HTTP, as browsers do: consent, pictures, one answer after the other.

Each has a connection and cookies of their own, thinks before every answer, and now and then sends one twice, as a
browser does whose reply was lost. When the site is away they try again, after the pauses of the session's page.
"""

import http.client
import json
import random
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

TIMEOUT = 15.0  # seconds, after which the page gives up a try
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)  # seconds between tries, as the page makes them
KEPT = 4.0  # seconds for which a silent connection is used again; the web process closes it after 5
TWICE = 0.05  # share of answers that are sent again
SPREAD = 0.5  # of the logarithm of the time that an answer takes
BROWSER = {"width": 1280, "height": 720, "pixel_ratio": 1, "frame_ms": 16.7, "touch": 0}
FORM = "application/x-www-form-urlencoded"


@dataclass
class Person:
    """Somebody who takes part; `acknowledged` is what the site said it had stored, `seconds` how long that took."""

    port: int
    address: str  # of the study's link
    seed: int
    thinking: float  # seconds that half of their answers take at most
    acknowledged: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    beginning: float = 0.0  # seconds from consent until the session's page is there
    key: str = ""  # of their session
    is_done: bool = False
    n_tries: int = 0  # in vain
    cookies: dict[str, str] = field(default_factory=dict)
    connection: http.client.HTTPConnection | None = None

    def __post_init__(self) -> None:
        self.asked_at = 0.0
        self.rng = random.Random(self.seed)  # noqa: S311 - no secret

    def take_part(self, arrival: float = 0.0, looks: bool = True) -> None:
        """Come after so many seconds, and answer to the end; `looks`: with the pictures."""
        time.sleep(arrival)
        session, token = self._begin()
        self.key = session["id"]
        if looks:
            for picture in session["pictures"]:
                self._ask("GET", picture)
        send = {"Content-Type": "application/json", "X-CSRFToken": token}
        self._ask("POST", session["answers"], json.dumps({"answers": [], "browser": BROWSER}), send)
        for trial in session["trials"]:
            self._answer(session["answers"], trial, send)
        self.is_done = self._ask("GET", session["done"])[0] == 200

    def _begin(self) -> tuple[dict[str, Any], str]:
        """Consent; return what the session's page holds, and its token."""
        page = self._ask("GET", self.address)[1].decode()
        fields = {"csrfmiddlewaretoken": _found(r'name="csrfmiddlewaretoken" value="(\w+)"', page)}
        form = urlencode({**fields, "consent": "yes"})
        began = time.perf_counter()
        status, _, place = self._ask("POST", self.address, form, {"Content-Type": FORM})
        assert status == 302, f"the study takes nobody (status {status})"
        page = self._ask("GET", place)[1].decode()
        self.beginning = time.perf_counter() - began
        session = json.loads(_found(r'<script id="session-data"[^>]*>(.*?)</script>', page))
        session["pictures"] = json.loads(_found(r'<script id="session-pictures"[^>]*>(.*?)</script>', page))
        return session, _found(r'name="csrf-token" content="(\w+)"', page)

    def _answer(self, address: str, trial: dict[str, Any], headers: dict[str, str]) -> None:
        """Think, answer, and note the time until the site says that it is stored."""
        seconds = self.thinking * self.rng.lognormvariate(0, SPREAD)
        time.sleep(seconds)
        answer = {
            "number": trial["number"],
            "answer": self.rng.randrange(len(trial["options"])),
            "rt_ms": round(seconds * 1000, 2),
            "by": "key",
        }
        message = json.dumps({"answers": [answer], "events": [], "browser": None})
        began = time.perf_counter()
        status, reply, _ = self._ask("POST", address, message, headers)
        self.seconds.append(time.perf_counter() - began)
        assert status == 200, f"an answer was refused: {reply.decode()}"
        if json.loads(reply)["next"] > trial["number"]:
            self.acknowledged.append(trial["number"])
        if self.rng.random() < TWICE:
            self._ask("POST", address, message, headers)

    def _ask(
        self, method: str, address: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes, str]:
        """Return status, content and where it leads; try again for as long as the site is away."""
        sent = {
            **(headers or {}),
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
        }
        for pause in (*PAUSES, None):
            try:
                answer = self._asked(method, address, body, sent)
                if answer[0] < 500:
                    return answer
            except (OSError, http.client.HTTPException):
                self._hang_up()
            if pause is None:
                break
            self.n_tries += 1
            time.sleep(pause)
        raise ConnectionError(f"{address} did not answer, however often it was asked")

    def _asked(
        self, method: str, address: str, body: str | None, headers: dict[str, str]
    ) -> tuple[int, bytes, str]:
        if time.monotonic() - self.asked_at > KEPT:
            self._hang_up()
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        self.connection.request(method, address, body, headers)
        response = self.connection.getresponse()
        content = response.read()
        self.asked_at = time.monotonic()
        for line in response.headers.get_all("Set-Cookie", []):
            self.cookies.update({name: morsel.value for name, morsel in SimpleCookie(line).items()})
        return response.status, content, response.headers.get("Location", "")

    def _hang_up(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None


@dataclass
class Crowd:
    """People who take part at the same time; `errors` is what kept some from their end."""

    people: Sequence[Person]
    errors: list[str] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    def come(self, within: float, looks: bool = True) -> None:
        """Let them come, evenly within so many seconds."""
        for number, person in enumerate(self.people):
            arrival = within * number / len(self.people)
            thread = threading.Thread(target=self._take_part, args=(person, arrival, looks), daemon=True)
            self.threads.append(thread)
            thread.start()

    def wait(self) -> None:
        """Return when all are done or have given up."""
        for thread in self.threads:
            thread.join()

    def _take_part(self, person: Person, arrival: float, looks: bool) -> None:
        try:
            person.take_part(arrival, looks)
        except Exception as error:
            self.errors.append(repr(error))

    @property
    def n_acknowledged(self) -> int:
        """How many answers the site said it had stored."""
        return sum(len(person.acknowledged) for person in self.people)

    @property
    def seconds(self) -> list[float]:
        """How long each answer took to be stored."""
        return [seconds for person in self.people for seconds in person.seconds]


def _found(pattern: str, page: str) -> str:
    match = re.search(pattern, page, re.DOTALL)
    assert match, f"the page does not hold {pattern}"
    return match[1]
