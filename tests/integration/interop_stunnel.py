#!/usr/bin/python3
"""A stock ZeroMQ client behind a stock TLS tunnel talks to a gateway: Debian's python3-zmq through Debian's stunnel4.

    tests/integration/interop_stunnel.py BUILD-FOLDER

Nothing of this project runs on the client's side: protobuf is written by hand from proto/link.proto. It says Hello,
hears one, asks for the charter and every page, and compares them with what was published. Exit 77: packages are absent.
"""
import os
import shutil
import socket
import subprocess
import sys
import time

try:
    import zmq
except ImportError:
    print("skipped: python3-zmq is not installed")
    sys.exit(77)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../demo"))
from world import World  # noqa: E402  pylint: disable=wrong-import-position

DEADLINE_MS = 20000
POSES = 40
HELLO, WANT, DOCUMENT, FAULT = 1, 2, 3, 13  # fields of Frame
CHARTER, PAGE, DOMESTIC = 1, 2, 3  # DocumentKind
OFFICER = "referral://th/ngo-alpha/officer-1"


# ---- protobuf by hand ----

def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def read_varint(data, at):
    number, shift = 0, 0
    while True:
        number |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 0x80:
            return number, at


def fields(data):
    """{number: [values]} of one message: varints and bytes, which is all that link.proto uses."""
    found, at = {}, 0
    while at < len(data):
        tag, at = read_varint(data, at)
        value, at = read_varint(data, at)
        if tag & 7 == 2:
            value, at = data[at:at + value], at + value
        found.setdefault(tag >> 3, []).append(value)
    return found


# ---- the tunnel and the client ----

def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Tunnel:
    def __init__(self, world, program, keys):
        self.port = free_port()
        config = os.path.join(world.folder, "stunnel.conf")
        with open(config, "w", encoding="utf-8") as out:
            out.write(f"foreground = yes\npid =\ndebug = warning\n[referral]\nclient = yes\naccept = 127.0.0.1:{self.port}\n"
                      f"connect = 127.0.0.1:{world.port('th')}\ncert = {keys}/tls.pem\nkey = {keys}/tls.key\n"
                      f"CAfile = {world.folder}/th/root.pem\nverifyChain = yes\nsslVersionMin = TLSv1.3\n")
        self.log = open(os.path.join(world.folder, "stunnel.log"), "wb")
        self.process = subprocess.Popen([program, config], stdout=self.log, stderr=self.log)

    def wait(self):
        limit = time.monotonic() + DEADLINE_MS / 1000
        while time.monotonic() < limit:
            if self.process.poll() is not None:
                raise AssertionError("stunnel ended: " + open(self.log.name, encoding="utf-8").read())
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
        raise AssertionError("stunnel does not listen")

    def close(self):
        self.process.terminate()
        self.process.wait(10)
        self.log.close()


class Client:
    def __init__(self, context, port):
        self.socket = context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.RCVTIMEO, DEADLINE_MS)
        self.socket.connect(f"tcp://127.0.0.1:{port}")

    def say(self, number, message):
        self.socket.send(field(number, message))

    def hear(self, number):
        """The next frame of that kind; others that a gateway may send at any time are passed over."""
        while True:
            parts = self.socket.recv_multipart()
            assert len(parts) == 1, f"{len(parts)} frames in one message"
            frame = fields(parts[0])
            if number in frame:
                return fields(frame[number][0])

    def document(self, kind, country):
        self.say(WANT, field(1, kind) + field(2, country))
        document = self.hear(DOCUMENT)
        while (document[1][0], document[2][0].decode()) != (kind, country):
            document = self.hear(DOCUMENT)
        return document


def published(world, name):
    with open(os.path.join(world.folder, "th", "trust", name), "rb") as text:
        return text.read()


def converse(world, client):
    hello = client.hear(HELLO)  # the acceptor speaks first
    assert hello[1] == [1], "version"
    assert hello[2] == [b"referral://th/gateway"], hello[2]
    held = {(holding[1][0], holding[2][0].decode()) for holding in map(fields, hello[4])}
    client.say(HELLO, field(1, 1) + field(2, OFFICER) + field(3, "interop-1") + field(6, "stock 1.0"))
    charter = client.document(CHARTER, "")
    assert charter[3][0] == published(world, "charter.cfg"), "the charter differs from what was published"
    assert len(charter[4]) >= world.quorum, f"{len(charter[4])} signatures"
    for country in world.countries:
        assert (PAGE, country) in held, f"Hello does not name the page of {country}"
        page = client.document(PAGE, country)
        assert page[3][0] == published(world, f"page-{country}.cfg"), f"the page of {country} differs"
        assert page[4][0] == published(world, f"page-{country}.cfg.p7s"), f"the signature of {country} differs"
    domestic = client.document(DOMESTIC, "th")
    assert domestic[3][0] == published(world, "domestic-th.cfg"), "the domestic page differs"


def pose(client):
    """Another principal than the certificate's: told so, and closed."""
    client.hear(HELLO)
    client.say(HELLO, field(1, 1) + field(2, "referral://th/ngo-alpha/officer-2"))
    fault = client.hear(FAULT)
    assert fault[1] == [202], f"fault {fault[1]}"


def main(build):
    program = shutil.which("stunnel4") or shutil.which("stunnel")
    if program is None:
        print("skipped: stunnel4 is not installed")
        return 77
    world = World(build, ["kh", "th"])
    context = zmq.Context()
    tunnel = None
    try:
        world.gateway("th", dial=False).start()
        tunnel = Tunnel(world, program, os.path.join(world.folder, "th/ngo-alpha/officer-1"))
        tunnel.wait()
        for _ in range(2):  # the second time as a new session
            converse(world, Client(context, tunnel.port))
        for _ in range(POSES):  # whatever the timing, who is thrown out is told why
            client = Client(context, tunnel.port)
            pose(client)
            client.socket.close()
        print("a stock client said Hello, heard one, and has the charter and all pages")
        return 0
    except (AssertionError, zmq.Again) as error:
        print(f"failed: {error}", *world.gateway("th").log_tail(30), sep="\n")
        return 1
    finally:
        context.destroy(0)
        if tunnel is not None:
            tunnel.close()
        world.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
