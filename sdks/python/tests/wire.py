"""Requests as bytes on a socket, so that no client mends them; and servers that answer what they are told."""

import socket
import threading
from http.client import HTTPResponse


def send(address, method, path, headers):
    """The answer: status, headers (in small letters), body."""
    lines = [f"{method} {path} HTTP/1.1", "Host: api.example.com", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    if method in ("POST", "PUT"):
        lines.append("Content-Length: 0")
    raw = ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")
    with socket.create_connection(address, timeout=30) as connection:
        connection.sendall(raw)
        response = HTTPResponse(connection, method=method)
        response.begin()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()


class Answering:
    """A server on loopback whose every connection is handed to `answer(connection, request)`."""

    def __init__(self, answer):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.requests = []
        self._answer = answer
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection):
        with connection:
            try:
                request = b""
                while b"\r\n\r\n" not in request:
                    more = connection.recv(65536)
                    if not more:
                        return
                    request += more
                self.requests.append(request)
                self._answer(connection, request)
            except OSError:
                pass

    def close(self):
        self._listener.close()


def http(status, headers, body):
    """An answer in bytes."""
    lines = [f"HTTP/1.1 {status} Said", f"content-length: {len(body)}", "connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def closed_port():
    """An address at which nobody listens, and which is given to no server."""
    return "http://127.0.0.1:1"
