"""A mail server for tests: aiosmtpd, told by one JSON object how to answer. Tells on standard output where it
listens, and what it was given; it ends when its standard input does."""

import asyncio
import json
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

asked = json.loads(sys.argv[1])


def tell(**what):
    print(json.dumps(what), flush=True)


class Handler:
    async def answer(self, place):
        planned = asked.get(place, [])
        reply = planned.pop(0) if planned else "250 OK"
        if reply == "hang":
            tell(hanging=place)
            await asyncio.Event().wait()
        return reply

    async def handle_RCPT(self, server, session, envelope, address, options):
        reply = await self.answer("rcpt")
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server, session, envelope):
        taken = dict(
            sender=envelope.mail_from,
            to=envelope.rcpt_tos,
            text=envelope.content.decode("ascii"),
            secured=session.ssl is not None or asked.get("implicit", False),
            user=session.auth_data.login.decode() if session.auth_data else None,
            hello=session.host_name,
        )
        reply = await self.answer("data")
        if reply.startswith("2"):
            tell(**taken)
        after = await self.answer("after")
        return reply if after.startswith("2") else after


def authenticate(server, session, envelope, mechanism, given):
    right = given.login == asked["user"].encode() and given.password == asked["password"].encode()
    return AuthResult(success=right, handled=False, auth_data=given)


async def main():
    secured, options = None, {}
    if "certificate" in asked:
        secured = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        secured.load_cert_chain(asked["certificate"], asked["key"])
    if secured and not asked.get("implicit"):
        options.update(tls_context=secured, require_starttls=True)
    if "user" in asked:
        options.update(auth_required=True, auth_require_tls=False, authenticator=authenticate)
    handler, loop = Handler(), asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(handler, loop=loop, hostname="mail.test", **options),
        "127.0.0.1",
        0,
        ssl=secured if asked.get("implicit") else None,
    )
    tell(port=server.sockets[0].getsockname()[1])
    await loop.run_in_executor(None, sys.stdin.read)


loop = asyncio.new_event_loop()
# That a client breaks off is what some tests are about.
loop.set_exception_handler(lambda *_: None)
loop.run_until_complete(main())
# Conversations that hang are not waited for.
os._exit(0)
