"""A codec server as Temporal's Python samples build one: aiohttp around an AES-GCM codec.

It is what benches/decode compares with: server.py KEY_ID BASE64_KEY
"""

import base64
import os
import sys

from aiohttp import web
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf import json_format
from temporalio.api.common.v1 import Payload, Payloads

ENCRYPTED = b"binary/encrypted"
KEY_ID = sys.argv[1].encode()
CIPHER = AESGCM(base64.b64decode(sys.argv[2]))


def encode(payload):
    nonce = os.urandom(12)
    data = nonce + CIPHER.encrypt(nonce, payload.SerializeToString(), None)
    return Payload(metadata={"encoding": ENCRYPTED, "encryption-key-id": KEY_ID}, data=data)


def decode(payload):
    if payload.metadata.get("encoding") != ENCRYPTED:
        return payload
    return Payload.FromString(CIPHER.decrypt(payload.data[:12], payload.data[12:], None))


def route(convert):
    async def answer(request):
        payloads = json_format.Parse(await request.read(), Payloads())
        converted = Payloads(payloads=[convert(payload) for payload in payloads.payloads])
        return web.Response(text=json_format.MessageToJson(converted), content_type="application/json")

    return answer


async def tell(app):
    print(f"127.0.0.1:{app['port']}", flush=True)


def main():
    import socket

    listener = socket.create_server(("127.0.0.1", 0))
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app["port"] = listener.getsockname()[1]
    app.add_routes([web.post("/encode", route(encode)), web.post("/decode", route(decode))])
    app.on_startup.append(tell)
    web.run_app(app, sock=listener, print=None, access_log=None)


main()
