"""One process of load: so many calls in flight over a few channels, for some seconds.

Reads one line of JSON from stdin and writes one to stdout. Used where h2load is not there, and
for loads in which every request is another one, which h2load cannot do.
"""

from __future__ import annotations

import base64
import json
import sys
import threading
import time
from typing import Any

import grpc


class Load:
    """Keeps ``in_flight`` calls going; every answer starts the next call."""

    def __init__(self, said: dict[str, Any]) -> None:
        self.bodies = [base64.b64decode(body) for body in said["bodies"]]
        self.in_flight, self.seconds = int(said["in_flight"]), float(said["seconds"])
        self.at = int(said.get("first", 0))
        options = [("grpc.use_local_subchannel_pool", 1)]
        count = min(int(said.get("channels", 4)), self.in_flight)
        self.channels = [grpc.insecure_channel(said["target"], options) for _ in range(count)]
        self.calls = [channel.unary_unary(said["method"]) for channel in self.channels]
        self.lock, self.over = threading.Lock(), threading.Event()
        self.latencies: list[float] = []
        self.failed: dict[str, int] = {}
        self.open = 0

    def run(self) -> dict[str, Any]:
        """Load until the time is up, then wait for what is in flight."""
        for channel in self.channels:
            grpc.channel_ready_future(channel).result(timeout=30)
        self.until = time.perf_counter() + self.seconds
        began = time.perf_counter()
        for lane in range(self.in_flight):
            self.start(self.calls[lane % len(self.calls)])
        self.over.wait(self.seconds + 60)
        took = time.perf_counter() - began
        for channel in self.channels:
            channel.close()
        return {
            "done": len(self.latencies),
            "seconds": took,
            "latencies_us": [round(each * 1e6, 1) for each in self.latencies],
            "failed": self.failed,
        }

    def start(self, call: Any) -> None:
        """Send the next request."""
        with self.lock:
            body = self.bodies[self.at % len(self.bodies)]
            self.at += 1
            self.open += 1
        sent = time.perf_counter()
        call.future(body, timeout=30).add_done_callback(lambda f: self.finish(call, f, sent))

    def finish(self, call: Any, answer: Any, sent: float) -> None:
        """Note an answer, and go on."""
        now = time.perf_counter()
        code = answer.code().name
        with self.lock:
            self.open -= 1
            if code == "OK":
                self.latencies.append(now - sent)
            else:
                self.failed[code] = self.failed.get(code, 0) + 1
            if now >= self.until:
                if self.open == 0:
                    self.over.set()
                return
        self.start(call)


if __name__ == "__main__":
    print(json.dumps(Load(json.loads(sys.stdin.readline())).run()))
