"""Holds the client port against clients and data servers that Thrift's compiler
generates.

    interop.py concourse methods.tsv java -cp PATH

The executable "concourse" has its plugins beside it. Generated Python is in the
search path, generated and compiled Java in that of the last argument.
"""
import random
import re
import subprocess
import sys
import threading
from urllib.parse import unquote_plus

from thrift.Thrift import TException

from driver import Driver
from hostile import Hostile
from host import Host, PASSWORD, Upstream
from management import Management
from refusals import Refusals
from samples import SPECIAL, methods


class Report:
    def __init__(self, table):
        self.methods = {False: methods(table, "concourse"), True: methods(table, "old")}
        self.called, self.problems = 0, []

    def wrong(self, text):
        self.problems.append(text)
        if len(self.problems) <= 40:
            print("WRONG", text, flush=True)

    def done(self, what):
        print(f"{self.called:7} calls  {what}", flush=True)
        self.called = 0


def enter(report, port, username, old):
    d = Driver(port, old)
    d.token = d.ask(report.methods[old][0].service, "login", username.encode(), PASSWORD.encode(), "billing")
    return d


def right(report, d, m, n, **carried):
    """A call that is let in must have the answer that its arguments ask for."""
    report.called += 1
    try:
        values, answer = d.call(m, n, **carried)
    except TException as e:
        report.wrong(f"{m.mux}:{m.name}, old {d.old}: {type(e).__name__} {e}")
        return False
    if answer != m.answer(values):
        report.wrong(f"{m.mux}:{m.name}, old {d.old}: {answer!r}, not {m.answer(values)!r}")
    return True


def every_method(report, port, old):
    """Calls every method, without a transaction and within one."""
    all = [m for m in report.methods[old] if m.name not in SPECIAL]
    d = enter(report, port, "writer", old)
    service = all[0].service
    tx = d.ask(service, "stage", d.token, "billing")
    for i, m in enumerate(all):
        for within in (None, tx):
            right(report, d, m, 1000 + i, transaction=within)
        right(report, d, m, 5000 + i, environment="b.ill-ing")
    if d.ask(service, "commit", d.token, tx, "billing") is not True:
        report.wrong("a commit is not answered with true")
    tx = d.ask(service, "stage", d.token, "billing")
    d.ask(service, "abort", d.token, tx, "billing")
    if (e := d.ask(service, "getServerEnvironment", d.token, None, "bill-ing")) != "billing":
        report.wrong(f"the environment is {e}")
    d.ask(service, "logout", d.token, "billing")
    report.called += 7
    return len(all)


def crowd(report, port, stop, clients=6):
    """Clients that go on calling until stop is set; each answer must be its call's."""
    def one(seed):
        draw, old = random.Random(seed), seed % 2 == 1
        all = [m for m in report.methods[old] if m.name not in SPECIAL]
        d = enter(report, port, "writer", old)
        while not stop.is_set() and right(report, d, draw.choice(all), draw.randrange(1 << 40)):
            pass
        d.close()
    threads = [threading.Thread(target=one, args=(i,), daemon=True) for i in range(clients)]
    for t in threads:
        t.start()
    return threads


def java_clients(report, java, port):
    done = subprocess.run([*java, "Clients", str(port), PASSWORD], text=True, capture_output=True)
    if done.returncode:
        report.wrong("Java: " + done.stdout + done.stderr)
    report.called += int((done.stdout or "0").split("\n")[0])


def main(executable, table, *java):
    """java is the command that runs a class."""
    report = Report(table)
    bare = Host(executable)
    for language, command in {"Python": [sys.executable, sys.path[0] + "/upstream.py", table], "Java": [*java, "DataServer"]}.items():
        upstream = Upstream(command)
        host = Host(executable, "lease: 2s", "lease_wait: 500ms", "upstream.reply_timeout: 20s", *upstream.settings())
        host.create("writer", "WRITE")
        host.create("reader", "READ")
        host.create("nobody")
        host.create("suspended", "WRITE")
        host.users("suspend", "suspended")
        print(f"data server in {language}", flush=True)
        for old in (False, True):
            n = every_method(report, host.port(), old)
            report.done(f"{n} methods, Python client, {'bare' if old else 'multiplexed'}")
            Refusals(report, host, host.port(), old).run(bare.port())
            report.done("refusals, Python client")
        java_clients(report, java, host.port())
        report.done("methods, refusals and a crowd, Java client, multiplexed")
        Hostile(report, host, upstream).run(crowd)
        report.done("hostile clients, and a crowd of others")
        for c in sorted({c for c in upstream.calls if not allowed(*c.split(" "))}):
            report.wrong("this came to the data server: " + c)
        print(f"{len(upstream.calls):7} calls  came to the data server", flush=True)
        Management(report, host).run()
        report.done("the management port, and invokeManagement")
        host.stop()
        upstream.stop()
    bare.stop()
    if report.problems:
        raise SystemExit(f"{len(report.problems)} things are wrong")


def allowed(_, method, environment=None):
    """Whether somebody may call so: "billing" is the only environment with grants."""
    if environment is None:
        return method == "getServerVersion"
    if method in ("login", "logout", "getServerEnvironment") and environment in ("", "default"):
        return True  # the host itself
    return re.sub("[^A-Za-z0-9_]", "", unquote_plus(environment)) == "billing"


if __name__ == "__main__":
    main(*sys.argv[1:])
