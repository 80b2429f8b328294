"""Calls a port as Concourse's drivers do, with the code that Thrift generates."""
from thrift.protocol.TBinaryProtocol import TBinaryProtocol, TBinaryProtocolAccelerated
from thrift.protocol.TMultiplexedProtocol import TMultiplexedProtocol
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TBufferedTransport

PATIENCE = 60  # seconds, for an answer


class Driver:
    """One connection. An old one names no service, and knows no PermissionException:
    its generated code is that of "old.thrift"."""

    def __init__(self, port, old=False):
        self.port, self.old, self.socket = port, old, TSocket("localhost", port)
        self.socket.setTimeout(PATIENCE * 1000)
        self.transport = TBufferedTransport(self.socket)
        self.transport.open()
        self.clients, self.token = {}, None
        self.protocol = TBinaryProtocolAccelerated(self.transport) if old else TBinaryProtocol(self.transport)

    def client(self, service, mux):
        if service not in self.clients:
            protocol = self.protocol if self.old or mux == "-" else TMultiplexedProtocol(self.protocol, mux)
            self.clients[service] = service.Client(protocol)
        return self.clients[service]

    def call(self, method, number=0, **carried):
        """Returns the arguments sent, and the answer; raises what the client raises."""
        carried = {"creds": self.token, "environment": "billing", **carried}
        values = method.call(number, carried)
        return values, getattr(self.client(method.service, method.mux), method.name)(*values)

    def ask(self, service, name, *values, mux="core"):
        return getattr(self.client(service, mux), name)(*values)

    def close(self):
        self.transport.close()
