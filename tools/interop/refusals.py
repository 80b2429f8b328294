"""What generated clients are told when they are refused. Each refusal is asked for
of every method, and the connection must be usable after each."""
import signal

from thrift.Thrift import TApplicationException, TException
from thrift.transport.TTransport import TTransportException

from concourse import ConcourseCalculateService, ConcourseManagementService, ConcourseService, ttypes
from driver import Driver
from host import PASSWORD, await_

UNKNOWN_METHOD = 1  # of a TApplicationException


class Refusals:
    def __init__(self, report, host, port, old):
        self.report, self.host, self.port, self.old = report, host, port, old
        self.all = report.methods[old]
        self.by_name = {m.name: m for m in self.all if m.mux == "core"}
        self.service = self.by_name["login"].service

    def enter(self, username):
        d = Driver(self.port, self.old)
        d.token = d.ask(self.service, "login", username.encode(), PASSWORD.encode(), "billing")
        return d

    def refused(self, what, d, m, kind, text, **carried):
        """The call must be refused by an exception of that name, never look like
        success, and leave the connection usable."""
        self.report.called += 1
        try:
            values, answer = d.call(m, **carried)
        except TException as e:
            told = getattr(e, "message", None) or ""
            if type(e).__name__ != kind or text not in told:
                self.report.wrong(f"{what}: {m.mux}:{m.name}, old {self.old}: {type(e).__name__} {told!r}, not {kind} {text!r}")
        else:
            self.report.wrong(f"{what}: {m.mux}:{m.name}, old {self.old}: looks like success: {answer!r}")

    def usable(self, what, d):
        self.report.called += 1
        try:
            d.ask(self.service, "getServerVersion")
        except TException as e:
            self.report.wrong(f"{what}: the connection cannot be used any more: {type(e).__name__} {e}")

    def permissions(self):
        nobody, reader = self.enter("nobody"), self.enter("reader")
        kind = "TApplicationException" if self.old else "PermissionException"
        for m in self.all:
            if m.access in ("read", "write") or m.name == "stage":
                own = kind if m.name != "stage" or self.old or "PermissionException" in m.declares else "TApplicationException"
                self.refused("no grant", nobody, m, own, "Insufficient Permission")
            if m.access == "write":
                self.refused("READ only", reader, m, kind, "Insufficient Permission")
                self.refused("another environment", reader, m, kind, "Insufficient Permission", environment="a-p-i")
                self.refused("no environment that can be", reader, m, kind, "Insufficient Permission", environment="---")
        self.usable("permissions", nobody)
        self.usable("permissions", reader)

    def tokens(self):
        d = self.enter("writer")
        over = self.enter("writer")
        over.ask(self.service, "logout", over.token, "billing")
        tx = ttypes.TransactionToken(over.token, 1)
        for m in self.all:
            if "SecurityException" not in m.declares or m.name in ("login", "getServerVersion"):
                continue
            for token in (over.token, ttypes.AccessToken(b"x" * 32), ttypes.AccessToken(b"short"), None):
                self.refused("a dead token", d, m, "SecurityException", "Invalid access token", creds=token)
            self.refused("a dead transaction's", d, m, "SecurityException", "Invalid access token", creds=over.token, transaction=tx)
        self.usable("tokens", d)

    def transactions(self):
        d, other = self.enter("writer"), self.enter("writer")
        tx = d.ask(self.service, "stage", d.token, "billing")
        wrong = {
            "of another session": (tx, other), "of no time": (ttypes.TransactionToken(d.token, tx.timestamp + 1000), d),
            "of another token": (ttypes.TransactionToken(other.token, tx.timestamp), d),
        }
        for m in self.all:
            if m.access not in ("read", "write") and m.name not in ("commit", "abort"):
                continue
            kind = "TransactionException"
            if kind not in m.declares or self.old and m.void:
                kind = "TApplicationException"
            for what, (t, by) in wrong.items():
                self.refused("a transaction " + what, by, m, kind, "" if kind[1] == "r" else "no such transaction", transaction=t)
        d.ask(self.service, "abort", d.token, tx, "billing")
        self.refused("a transaction that is over", d, self.by_name["clearRecord"],
                     "TApplicationException" if self.old else "TransactionException", "", transaction=tx)
        self.usable("transactions", d)

    def environments(self):
        d = self.enter("writer")
        for m in self.all:
            if m.access in ("read", "write"):
                kind = "ParseException" if "ParseException" in m.declares and not self.old else "TApplicationException"
                self.refused("no environment", d, m, kind, "Cannot verify permissions", environment=None)
        self.usable("environments", d)

    def logins(self):
        d = Driver(self.port, self.old)
        for name, password, text in (
                ("writer", "wrong", "Invalid username/password combination."),
                ("unheard of", PASSWORD, "Invalid username/password combination."),
                ("suspended", PASSWORD, "Cannot issue a token for a user whose access has been disabled")):
            self.report.called += 1
            try:
                d.ask(self.service, "login", name.encode(), password.encode(), "billing")
                self.report.wrong(f"login of {name}: looks like success")
            except TException as e:
                if type(e).__name__ != "SecurityException" or e.message != text:
                    self.report.wrong(f"login of {name}: {type(e).__name__} {e}")
        self.usable("logins", d)

    def unknown(self):
        """Methods that there are not, and services."""
        d = self.enter("writer")
        for service, name, values in (
                (ConcourseCalculateService, "sumKey", ("k", d.token, None, "billing")),
                (ConcourseManagementService, "createUser", (b"x", PASSWORD.encode(), "ADMIN", d.token))):
            self.report.called += 1
            try:
                d.ask(service, name, *values, mux="core")
                self.report.wrong(f"core:{name}: looks like success")
            except TApplicationException as e:
                if e.type != UNKNOWN_METHOD or e.message != f"Invalid method name: '{name}'":
                    self.report.wrong(f"core:{name}: {type(e).__name__} {e}")
        self.usable("unknown methods", d)
        if not self.old:
            try:
                Driver(self.port).ask(ConcourseService, "getServerVersion", mux="auth")
                self.report.wrong("auth:getServerVersion looks like success")
            except (TTransportException, ConnectionError):
                pass

    def no_upstream(self, port):
        bare = Refusals(self.report, self.host, port, self.old)
        d = bare.enter("admin")
        for m in self.all:
            if m.name not in ("login", "logout", "invokeManagement"):
                kind, text = "TApplicationException", "upstream.address is empty"
                bare.refused("no upstream", d, m, kind, text)
        d.ask(self.service, "logout", d.token, "billing")

    def out_of_touch(self):
        """Past the lease a live token is not called dead."""
        d = self.enter("writer")
        try:
            self.host.signal_plugin(signal.SIGSTOP)
            await_("a call is refused while the plugin stands still", lambda: not self.let_in(d))
            for name in ("selectRecord", "verifyOrSet", "stage", "clearRecord"):
                self.refused("past the lease", d, self.by_name[name], "TApplicationException", "out of touch")
        finally:
            self.host.signal_plugin(signal.SIGCONT)
        await_("the same token is let in again", lambda: self.let_in(d))

    def let_in(self, d):
        try:
            d.call(self.by_name["selectRecord"], 5)
            return True
        except TApplicationException:
            return False

    def run(self, bare_port):
        self.permissions()
        self.tokens()
        self.transactions()
        self.environments()
        self.logins()
        self.unknown()
        self.no_upstream(bare_port)
        self.out_of_touch()
