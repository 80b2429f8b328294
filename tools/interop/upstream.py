"""A data server of generated code.

    upstream.py methods.tsv    prints its port, and "service method environment" of
                               every call that it reads to the end

It decodes every argument, and answers by what it has read. It ends with its
standard input. DataServer.java is the same in Java.
"""
import logging
import os
import re
import secrets
import sys
import threading
from urllib.parse import quote_plus

from thrift.protocol.TBinaryProtocol import TBinaryProtocolAcceleratedFactory
from thrift.server.TServer import TThreadedServer
from thrift.TMultiplexedProcessor import TMultiplexedProcessor
from thrift.transport.TSocket import TServerSocket
from thrift.transport.TTransport import TBufferedTransportFactory

from concourse import ttypes
from samples import SPECIAL, methods

USERNAME, PASSWORD = b"host", b"the host's own"


class Store:
    """The tokens and transactions, which all services share."""

    def __init__(self):
        self.lock = threading.Lock()
        self.tokens, self.transactions, self.last = set(), {}, 0

    def check(self, creds, transaction, environment):
        if creds is None or creds.data not in self.tokens:
            raise ttypes.SecurityException("Invalid access token")
        if transaction is not None:
            key = transaction.accessToken.data, transaction.timestamp
            if self.transactions.get(key) != environment:
                raise ValueError("no such transaction")

    def login(self, username, password, environment):
        if (username, password) != (USERNAME, PASSWORD):
            raise ttypes.SecurityException("Invalid username/password combination.")
        token = secrets.token_bytes(32)
        self.tokens.add(token)
        return ttypes.AccessToken(token)

    def logout(self, creds, environment):
        self.check(creds, None, environment)
        self.tokens.discard(creds.data)

    def stage(self, creds, environment):
        self.check(creds, None, environment)
        with self.lock:
            self.last += 1
            self.transactions[creds.data, self.last] = environment
        return ttypes.TransactionToken(creds, self.last)

    def commit(self, creds, transaction, environment):
        self.check(creds, transaction, environment)
        del self.transactions[creds.data, transaction.timestamp]
        return True

    def abort(self, creds, transaction, environment):
        self.commit(creds, transaction, environment)

    def getServerEnvironment(self, creds, transaction, environment):
        self.check(creds, transaction, environment)
        return re.sub("[^A-Za-z0-9_]", "", environment) or "default"


class Handler:
    """One service."""

    def __init__(self, store, all):
        for m in all:
            if m.name != "invokeManagement":
                setattr(self, m.name, self.answer(store, m))

    @staticmethod
    def answer(store, method):
        def call(*values):
            carried = dict(zip(method.carries, values))
            where = carried.get("environment")
            os.write(1, f"{method.mux} {method.name}{'' if where is None else ' ' + quote_plus(where)}\n".encode())
            if method.name in SPECIAL:
                return getattr(store, method.name)(*values)
            if "creds" in method.carries:
                store.check(carried["creds"], carried["transaction"], carried["environment"])
            if method.call(method.number(values), carried) != list(values):
                raise ValueError("other arguments than any client sends")
            return method.answer(values)

        return call


def main():
    logging.disable()  # of what hostile clients sent
    processor, store, all = TMultiplexedProcessor(), Store(), methods(sys.argv[1], "concourse")
    for mux in ("core", "calculate", "navigate"):
        of = [m for m in all if m.mux == mux]
        service = of[0].service.Processor(Handler(store, of))
        processor.registerProcessor(mux, service)
        if mux == "core":
            processor.registerDefault(service)
    listener = TServerSocket("127.0.0.1", 0)
    listener.listen()
    listener.listen = lambda: None  # as it does already
    print(listener.handle.getsockname()[1], flush=True)
    server = TThreadedServer(processor, listener, TBufferedTransportFactory(), TBinaryProtocolAcceleratedFactory(), daemon=True)
    threading.Thread(target=server.serve, daemon=True).start()
    sys.stdin.read()
    os._exit(0)


main()
