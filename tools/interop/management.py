"""The original's management service, and what a driver's Manager may invoke over
the client port."""
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.Thrift import TApplicationException, TException
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TBufferedTransport

from concourse import ConcourseManagementService, ConcourseService, ttypes
from driver import Driver
from host import PASSWORD

WORD = PASSWORD.encode()
REFUSED = ("ManagementException", "")


class Management:
    def __init__(self, report, host):
        self.report, self.host = report, host

    def connect(self):
        transport = TBufferedTransport(TSocket("localhost", self.host.management_port()))
        transport.open()
        return ConcourseManagementService.Client(TBinaryProtocol(transport))

    def expect(self, what, want, call, *values):
        """want is the answer, or the name of an exception with a part of its text."""
        self.report.called += 1
        try:
            got = call(*values)
        except TException as e:
            if not isinstance(want, tuple) or type(e).__name__ != want[0] or want[1] not in e.message:
                self.report.wrong(f"management: {what}: {e!r}, not {want!r}")
        else:
            if got != want and not (callable(want) and want(got)):
                self.report.wrong(f"management: {what}: {got!r}, not {want!r}")

    def run(self):
        self.tools()
        for old in (False, True):
            self.manager(old)

    def tools(self):
        idle, m = self.connect(), self.connect()
        e = self.expect
        e("a wrong password", ("SecurityException", "Invalid username/password combination."), m.login, b"admin", b"wrong")
        e("no administrator", ("SecurityException", ""), m.login, b"writer", WORD)
        token = m.login(b"admin", WORD)
        for dead in (ttypes.AccessToken(b"x" * 32), None):
            e("a dead token", ("SecurityException", "Invalid access token"), m.hasUser, b"jeff", dead)
            e("a dead token", ("SecurityException", "Invalid access token"), m.installPluginBundle, "file", dead)
            e("a dead token", ("SecurityException", "Invalid access token"), m.logout, dead)
        e("nobody yet", False, m.hasUser, b"jeff", token)
        e("create", None, m.createUser, b"jeff", WORD, "user", token)
        e("create again", ("ManagementException", "User already exists"), m.createUser, b"jeff", WORD, "user", token)
        e("create of that role", ("ManagementException", ""), m.createUser, b"ann", WORD, "service", token)
        e("create of no role", ("ManagementException", "Role.GUEST"), m.createUser, b"ann", WORD, "guest", token)
        e("create without a name", ("ManagementException", "Username must not be empty"), m.createUser, b" ", WORD, "user", token)
        e("create with a short password", ("ManagementException", "Password must not be empty"), m.createUser, b"ann", b"x", "user", token)
        e("there now", True, m.hasUser, b"jeff", token)
        e("grant", None, m.grant, b"jeff", "write", "billing", token)
        e("grant of what there is not", ("ManagementException", "Permission.RULE"), m.grant, b"jeff", "rule", "billing", token)
        e("revoke", None, m.revoke, b"jeff", "billing", token)
        e("password", None, m.setUserPassword, b"jeff", WORD + b"!", token)
        e("role", None, m.setUserRole, b"jeff", "ADMIN", token)
        e("role of nobody", ("ManagementException", "does not exist"), m.setUserRole, b"ann", "ADMIN", token)
        e("suspend", None, m.disableUser, b"jeff", token)
        e("suspend oneself", REFUSED, m.disableUser, b"admin", token)
        e("enable", None, m.enableUser, b"jeff", token)
        e("sessions", lambda text: "admin logged in since" in text, m.listAllUserSessions, token)
        e("delete", None, m.deleteUser, b"jeff", token)
        e("delete nobody", None, m.deleteUser, b"jeff", token)
        e("delete the last", REFUSED, m.deleteUser, b"admin", token)
        for call, values in (
                (m.dump, ("id", "billing", token)), (m.getDumpList, ("billing", token)), (m.installPluginBundle, ("file", token)),
                (m.listPluginBundles, (token,)), (m.runningPluginsInfo, (token,)), (m.uninstallPluginBundle, ("name", token)),
                (m.listAllEnvironments, (token,)), (m.repairData, ("billing", token)), (m.compactData, ("billing", token))):
            e(call.__name__, REFUSED, call, *values)
        e("another connection that rests", ("SecurityException", ""), idle.login, b"admin", b"wrong")
        e("logout", None, m.logout, token)
        e("after the logout", ("SecurityException", "Invalid access token"), m.hasUser, b"jeff", token)

    def manager(self, old):
        service = self.report.methods[old][0].service
        package = __import__(service.__package__ + ".ttypes").ttypes
        binary = lambda b: package.ComplexTObject(type=7, tbinary=b)
        scalar = lambda b: package.ComplexTObject(type=5, tobject=package.TObject(b, 7))
        d, name, e = Driver(self.host.port(), old), b"ann" + bytes([48 + old]), self.expect
        admin = d.ask(service, "login", b"admin", WORD, "")
        invoke = lambda what, want, method, *values, token=admin: e(what, want, d.ask, service, "invokeManagement", method, list(values), token)
        nothing = lambda answer: answer.type == 1 and answer.tscalar.type == 9
        writer = d.ask(service, "login", b"writer", WORD, "")
        invoke("a user's createUser", ("ManagementException", "Unauthorized"), "createUser", binary(name), binary(WORD), scalar(b"USER"), token=writer)
        invoke("a dead token's", ("SecurityException", "Invalid access token"), "createUser", token=package.AccessToken(b"x" * 32))
        invoke("createUser", nothing, "createUser", binary(name), binary(WORD), scalar(b"USER"))
        invoke("createUser again", ("ManagementException", "User already exists"), "createUser", binary(name), binary(WORD), scalar(b"USER"))
        invoke("grant", nothing, "grant", binary(name), scalar(b"READ"), scalar(b"billing"))
        invoke("too few", ("ManagementException", "not eligble"), "grant", binary(name))
        invoke("too many", ("ManagementException", "not eligble"), "grant", *[binary(name)] * 9)
        invoke("deleteUser", ("ManagementException", "not eligble"), "deleteUser", binary(name))
        d.ask(service, "getServerVersion")
