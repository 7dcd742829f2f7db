"""Serves the user's functions over HTTP: GET /ping and POST /invocations.

One process listens and forks workers, which take one request at a time each:
user code need not be safe for threads. A connection serves one request, so that
whichever worker is free takes the next.
"""

import http.server
import os
import select
import signal
import socket
import sys
import time
import traceback

from scriptmode import environment
from scriptmode.handlers import Handler, Refusal

BACKLOG = 256
# A client that stalls must not hold a worker for good.
STALL = 60
# The exit code of a worker whose model could not be loaded: there is no use in
# another one.
UNLOADED = 3
# A worker that died is replaced after FIRST_PAUSE seconds, which double to
# LAST_PAUSE while workers do not live longer than that. After MAX_FAILURES in a
# row that died while they loaded the model there is no use in another one.
FIRST_PAUSE, LAST_PAUSE = 0.1, 5
MAX_FAILURES = 3
ENDING = {signal.SIGTERM, signal.SIGINT}


def main():
    """Serves until SIGTERM, and returns the exit code."""
    # Many processes with many threads each would fight for the processors.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    port = int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))
    listener = socket.create_server(("0.0.0.0" if port == 8080 else "127.0.0.1", port), backlog=BACKLOG)
    count = int(os.environ.get("SAGEMAKER_MODEL_SERVER_WORKERS") or environment.cpus())
    print("script mode serves %s on port %d with %d workers" % (os.environ.get("SAGEMAKER_PROGRAM", "inference.py"), port, count), flush=True)
    return Workers(listener, count).keep()


class Workers:
    """The worker processes of one listener."""

    def __init__(self, listener, count):
        self.listener, self.count = listener, count
        self.running, self.ending = {}, False  # by process, when it began
        self.loaded = set()
        self.hear, self.say = socket.socketpair()  # each worker that has loaded says who it is
        self.hear.setblocking(False)
        self.told, self.tell = socket.socketpair()  # ends a pause
        self.failures, self.pause = 0, FIRST_PAUSE

    def keep(self):
        """Keeps the workers running until told to end, or one cannot load."""
        signal.signal(signal.SIGTERM, self.end)
        signal.signal(signal.SIGINT, self.end)
        while not self.ending and len(self.running) < self.count:
            self.start()
        status = 0
        while self.running:
            pid, code = os.wait()
            lived = time.monotonic() - self.running.pop(pid)
            code = os.waitstatus_to_exitcode(code)
            if self.ending:
                continue
            if code == UNLOADED or not self.replace(pid, code, lived):
                status = UNLOADED
                self.end()
        return status

    def replace(self, pid, code, lived):
        """Starts another worker after a pause, unless too many have failed."""
        self.listen()
        self.failures = 0 if pid in self.loaded else self.failures + 1
        self.loaded.discard(pid)
        how = "signal %d" % -code if code < 0 else "exit code %d" % code
        if self.failures == MAX_FAILURES:
            print("%d workers in a row ended while they loaded the model, the last with %s: correct model_fn, or see whether"
                  " the memory is enough" % (MAX_FAILURES, how), file=sys.stderr, flush=True)
            return False
        if lived > LAST_PAUSE:
            self.pause = FIRST_PAUSE
        print("worker %d ended with %s; starting another in %g s" % (pid, how, self.pause), file=sys.stderr, flush=True)
        select.select([self.told], [], [], self.pause)
        self.pause = min(2 * self.pause, LAST_PAUSE)
        if not self.ending:
            self.start()
        return True

    def listen(self):
        """Takes note of the workers that have said that they have loaded."""
        try:
            self.loaded.update(int(pid) for pid in self.hear.recv(1 << 16).split())
        except BlockingIOError:
            pass

    def start(self):
        # A signal between fork and the worker's own handler waits for that.
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        pid = os.fork()
        if pid == 0:
            os._exit(work(self.listener, self.say))
        self.running[pid] = time.monotonic()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)

    def end(self, *_):
        self.ending = True
        self.tell.send(b".")
        for pid in list(self.running):
            os.kill(pid, signal.SIGTERM)


def work(listener, say):
    """A worker's life. SIGTERM lets it finish the request that it has."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # while it loads there is nothing to finish
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    try:
        handler = Handler()
    except BaseException:  # user code may call sys.exit
        traceback.print_exc()
        sys.stderr.flush()
        return UNLOADED
    say.send(b"%d\n" % os.getpid())
    told, tell = socket.socketpair()
    tell.setblocking(False)
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.set_wakeup_fd(tell.fileno())
    listener.setblocking(False)  # another worker may be the first to accept
    while told not in select.select([listener, told], [], [])[0]:
        try:
            connection, address = listener.accept()
        except BlockingIOError:
            continue
        with connection:
            connection.settimeout(STALL)
            try:
                Request(connection, address, handler)
            except OSError as e:
                print("connection: %s" % e, file=sys.stderr, flush=True)
    return 0


class Request(http.server.BaseHTTPRequestHandler):
    """One connection and its one request."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.say(200 if self.path == "/ping" else 404, b"", "text/plain")

    def do_POST(self):
        if self.path != "/invocations":
            return self.say(404, b"", "text/plain")
        try:
            body = self.body()
            result, content_type = self.server.answer(
                body, self.headers.get("Content-Type", ""), self.headers.get("Accept", ""))
            self.say(200, result if isinstance(result, (bytes, bytearray)) else str(result).encode(), content_type)
        except Refusal as e:
            self.say(e.status, str(e).encode(), "text/plain")
        except Exception as e:
            traceback.print_exc()
            self.say(500, ("%s: %s" % (type(e).__name__, e)).encode(), "text/plain")

    def body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            return b"".join(self.chunks())
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def chunks(self):
        """The parts of a body in chunks (RFC 9112, 7.1)."""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline() not in (b"\r\n", b"\n", b""):
            pass  # trailers

    def say(self, status, body, content_type):
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code="-", size="-"):
        if getattr(self, "path", "") != "/ping":  # a malformed request has none
            super().log_request(code, size)
