"""Clients that mean no good, beside others that go on with their work: nothing
that was not checked may come to the data server, no connection to it may be left
out of step, and nobody may get another's answer."""
import random
import socket
import struct
import threading
from concurrent.futures import ThreadPoolExecutor

from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.protocol.TMultiplexedProtocol import TMultiplexedProtocol
from thrift.Thrift import TException, TMessageType, TType
from thrift.transport.TTransport import TMemoryBuffer

from concourse import ConcourseService, ttypes
from driver import Driver
from host import PASSWORD
from samples import SPECIAL

MUTATIONS = 1500
UUID = 16


def i32(n):
    return struct.pack("!i", n)


def text(b):
    return i32(len(b)) + b


def field(id, kind, value):
    return struct.pack("!bh", kind, id) + value


def message(name, *fields, kind=TMessageType.CALL):
    return i32(-0x7fff0000 | kind) + text(name) + i32(7) + b"".join(fields) + b"\0"


def listing(kind, n, value):
    return struct.pack("!b", kind) + i32(n) + value


def token(data):
    return field(1, TType.STRING, text(data)) + b"\0"


def tobject(kind=7, data=b"5"):
    return field(1, TType.STRING, text(data)) + field(2, TType.I32, i32(kind)) + b"\0"


SMUGGLED = message(b"ping", field(1, TType.STRUCT, token(b"s" * 32)), field(3, TType.STRING, text(b"smuggled")))


def deep(levels):
    """A struct in a struct in a struct, and a list in a list."""
    yield (struct.pack("!bh", TType.STRUCT, 1) * levels) + b"\0" * (levels + 1)
    yield (struct.pack("!bi", TType.LIST, 1) * levels) + listing(TType.BYTE, 1, b"x")


class Hostile:
    def __init__(self, report, host, upstream):
        self.report, self.host, self.upstream = report, host, upstream
        d = Driver(host.port())
        self.keep, self.token = d, d.ask(ConcourseService, "login", b"writer", PASSWORD.encode(), "billing")

    def run(self, crowd):
        stop = threading.Event()
        others = crowd(self.report, self.host.port(), stop)
        with ThreadPoolExecutor(8) as pool:
            for done in [pool.submit(self.send, *attack) for attack in (*self.attacks(), *self.mutants())]:
                done.result()
        stop.set()
        for t in others:
            t.join(120)
            if t.is_alive():
                self.report.wrong("a client waits for its answer")
        if "panic" in self.host.log:
            self.report.wrong("the host's log tells of a panic:\n" + self.host.log)

    def add(self, *instead, key=b"1", value=tobject(), records=listing(TType.I64, 1, struct.pack("!q", 1)), name=b"core:addKeyValueRecords", kind=TMessageType.CALL):
        """A call of addKeyValueRecords with one thing or another wrong in it."""
        return message(
            name, field(1, TType.STRING, text(key)), field(2, TType.STRUCT, value), field(3, TType.LIST, records), *instead,
            field(4, TType.STRUCT, token(self.token.data)), field(6, TType.STRING, text(b"billing")), kind=kind)

    def attacks(self):
        pad = SMUGGLED + b"\0" * (-len(SMUGGLED) % 8)
        yield "nothing wrong", self.add()
        yield "two in one write", self.add() + self.add()
        yield "bytes for records", self.add(records=listing(TType.BYTE, len(SMUGGLED), SMUGGLED))
        # What a server that reads numbers, as the interface has them, would leave
        # in the stream is the end of the arguments and a message of its own.
        rest = b"\0" + SMUGGLED
        yield "numbers in texts", self.last(listing(TType.STRING, 1, text(b"1234" + rest)))
        yield "numbers in structs", self.last(listing(TType.STRUCT, 1, field(1, TType.STRING, text(b"1" + rest)) + b"\0"))
        yield "numbers in maps", self.last(listing(TType.MAP, 1, struct.pack("!bbi", 11, 11, 1) + i32(2 + len(rest)) + b"12" + rest + text(b"")))
        # And one that gives up on the first symbol would read the others as a
        # message in the older form.
        yield "a message in symbols", self.criteria(b"\0" * 4 + b"\x04ping\1" + i32(7) + b"\0\0", n=5)
        yield "a message in a UUID", self.add(field(99, UUID, SMUGGLED[:16]))
        yield "short records", self.add(records=listing(TType.I32, len(pad) // 4, pad))
        yield "structs for records", self.add(records=listing(TType.STRUCT, 2, b"\0\0"))
        yield "texts for records", self.add(records=listing(TType.STRING, 1, text(SMUGGLED)))
        for kind in (0, 1, 5, 7, UUID, 17, 99, 127, -1):
            yield f"no records of type {kind}", self.add(records=listing(kind, 0, b""))
            yield f"no entries of type {kind}", self.add(field(99, TType.MAP, struct.pack("!bbi", kind, kind, 0)))
        for n in (-1, -(1 << 31), (1 << 31) - 1, 1 << 28):
            yield f"{n} records", self.add(records=listing(TType.I64, n, pad))
            yield f"{n} bytes of key", message(b"core:browseKey", field(1, TType.STRING, i32(n) + pad))
            yield f"{n} entries", self.add(field(99, TType.MAP, struct.pack("!bbi", TType.BYTE, TType.BYTE, n)))
            yield f"{n} empty structs", self.add(field(99, TType.LIST, listing(TType.STRUCT, n, b"")))
        yield "a value without data", self.add(value=field(2, TType.I32, i32(7)) + field(9, TType.STRING, text(SMUGGLED)) + b"\0")
        yield "a value without type", self.add(value=field(1, TType.STRING, text(b"5")) + field(9, TType.STRING, text(SMUGGLED)) + b"\0")
        yield "a value with nothing", self.add(value=b"\0")
        yield "a value with a list", self.add(value=field(1, TType.LIST, listing(TType.BYTE, len(SMUGGLED), SMUGGLED)) + field(2, TType.I32, i32(7)) + b"\0")
        for kind in (0, 12, 99, -1, -(1 << 31)):
            yield f"a value of type {kind}", self.add(value=tobject(kind))
        yield "a value in a string", message(b"core:addKeyValueRecords", field(2, TType.STRING, text(SMUGGLED)), field(4, TType.STRUCT, token(self.token.data)), field(6, TType.STRING, text(b"billing")))
        for id in (1, 2, 3, 4, 5, 6, 99, -1, 32767):
            for kind, value in ((UUID, SMUGGLED[:16]), (TType.BYTE, b"x"), (TType.STRING, text(SMUGGLED)), (TType.STRUCT, b"\0"), (TType.MAP, struct.pack("!bbi", UUID, UUID, 1) + SMUGGLED[:32]), (17, b"")):
                yield f"field {id} once more, of type {kind}", self.add(field(id, kind, value))
        yield "another token", self.add(field(4, TType.STRUCT, token(b"x" * 32)))
        yield "another environment", self.add(field(6, TType.STRING, text(b"smuggled")))
        for levels in (10, 60, 61, 62, 63, 64, 65, 100, 5000):
            for value, kind in zip(deep(levels), (TType.STRUCT, TType.LIST)):
                yield f"{levels} levels of {kind}", self.add(field(99, kind, value))
        for n in (20, 26, 27, 28, 40, 10000):
            yield f"{n} more fields", self.add(*[field(100 + i % 100, TType.BOOL, b"\2") for i in range(n)])
        for kind in (0, 2, 3, 4, 5, 255):
            yield f"a message of kind {kind}", self.add(kind=kind)
        for name in (b"", b"core:", b":ping", b"core:core:ping", b"core:ping\n", b"core:\xff\xfe", b"core:ping\0", b"x" * 1024, b"x" * 1025, b"x" * 100000):
            yield f"the name {name[:20]}", self.add(name=name)
        yield "a key that is no text", self.add(key=b"\xff\xfe\xc0\x80")
        yield "symbols", self.criteria(field(1, TType.I32, i32(99)) + field(2, TType.STRING, text(SMUGGLED)) + b"\0")
        yield "half a symbol", self.criteria(field(2, TType.STRING, text(SMUGGLED)) + b"\0")
        yield "symbols that are texts", self.criteria(text(SMUGGLED), TType.STRING)
        yield "no symbols", message(b"core:findCriteria", field(1, TType.STRUCT, b"\0"), field(2, TType.STRUCT, token(self.token.data)), field(4, TType.STRING, text(b"billing")))
        yield "no protocol", b"GET / HTTP/1.1\r\n\r\n"
        yield "framed", i32(len(self.add())) + self.add()
        yield "arguments of a method without any", message(b"core:getServerVersion", field(1, TType.LIST, listing(TType.BYTE, len(SMUGGLED), SMUGGLED)))
        whole = self.add()
        for n in range(0, len(whole), 7):
            yield f"the first {n} bytes", whole[:n]

    def last(self, records):
        """A call of addKeyValueRecords with the records at the end."""
        return message(
            b"core:addKeyValueRecords", field(1, TType.STRING, text(b"1")), field(2, TType.STRUCT, tobject()),
            field(4, TType.STRUCT, token(self.token.data)), field(6, TType.STRING, text(b"billing")), field(3, TType.LIST, records))

    def criteria(self, symbol, kind=TType.STRUCT, n=1):
        return message(
            b"core:findCriteria", field(1, TType.STRUCT, field(1, TType.LIST, listing(kind, n, symbol)) + b"\0"),
            field(2, TType.STRUCT, token(self.token.data)), field(4, TType.STRING, text(b"billing")))

    def mutants(self):
        """Calls of all kinds with a few bytes changed."""
        draw = random.Random(4)
        all = [m for m in self.report.methods[False] if m.name not in SPECIAL]
        for _ in range(MUTATIONS):
            m = draw.choice(all)
            buffer = TMemoryBuffer()
            protocol = TMultiplexedProtocol(TBinaryProtocol(buffer), m.mux)
            values = m.call(draw.randrange(1 << 20), {"creds": self.token, "environment": "billing"})
            m.service.Client.__dict__["send_" + m.name](m.service.Client(protocol), *values)
            sent = bytearray(buffer.getvalue())
            begin = 12 + len(m.mux) + 1 + len(m.name)
            for _ in range(draw.randint(1, 3)):
                if begin < len(sent):
                    sent[draw.randrange(begin, len(sent))] = draw.choice((0, 1, 2, 3, 4, 8, 10, 11, 12, 13, 15, 16, 255, draw.randrange(256)))
            yield "changed bytes", bytes(sent)

    def send(self, what, sent):
        """Sends it on a connection whose session is known, and reads what there is to
        be read: an answer, the end, or nothing."""
        self.report.called += 1
        d = Driver(self.host.port())
        try:
            d.ask(ConcourseService, "time", self.token, None, "billing")
        except TException as e:
            self.report.wrong(f"a good call before {what}: {type(e).__name__} {e}")
            return
        raw = d.socket.handle
        try:
            raw.sendall(sent)
            raw.settimeout(0.3)
            answer = raw.recv(1 << 16)
            if answer and answer[:3] != b"\x80\x01\0":
                self.report.wrong(f"{what}: the answer is {answer[:40]!r}")
            if b"smuggled" in answer or b"Invalid access token" in answer and what != "changed bytes" and "token" not in what and "field 4" not in what:
                self.report.wrong(f"{what}: {answer!r}")
        except (socket.timeout, ConnectionError):
            pass
        d.close()
