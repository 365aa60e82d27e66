#!/usr/bin/env python3
"""A mail server and a reader of CloudEvents for the tests of receivers: both are other people's software.

receivers.py mail PORT CERT KEY FILE   SMTP with STARTTLS and a login; each mail goes to FILE
receivers.py events                    reads HTTP bodies from stdin, one JSON line each; prints ids
"""
import asyncio
import json
import ssl
import sys


def mail(port, cert, key, file):
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult

    class Keep:
        async def handle_DATA(self, server, session, envelope):
            with open(file, "ab") as out:
                out.write(envelope.content + b"\n=====\n")
            return "250 kept"

    def login(server, session, envelope, mechanism, data):
        right = (data.login, data.password) == (b"xunjian", b"s3cret")
        return AuthResult(success=right, handled=right)

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    controller = Controller(
        Keep(), hostname="127.0.0.1", port=int(port), tls_context=context, require_starttls=True,
        authenticator=login, auth_required=True,
    )
    controller.start()
    asyncio.new_event_loop().run_forever()


def events():
    from cloudevents.v1.http import from_http, from_json

    for line in sys.stdin:
        request = json.loads(line)
        headers, body = {"content-type": request["type"]}, request["body"]
        if "batch" in headers["content-type"]:
            found = [from_json(json.dumps(one)) for one in json.loads(body)]
        else:
            found = [from_http(headers, body.encode())]
        for one in found:
            print(one["id"], one["type"], one["source"], one["subject"])


if sys.argv[1] == "mail":
    mail(*sys.argv[2:])
else:
    events()
