"""A host of its own in a temporary home, and what administers it."""
import atexit
import glob
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

PASSWORD = "correct horse battery"
PATIENCE = 60  # seconds


class Host:
    def __init__(self, executable, *settings):
        self.executable, self.home, self.log = executable, tempfile.mkdtemp(prefix="concourse-interop"), ""
        with open(os.path.join(self.home, "concourse.yaml"), "w") as f:
            f.write("\n".join(("client.address: localhost:0", "management.port: 0") + settings) + "\n")
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": self.home, "CONCOURSE_HOME": self.home,
            "CONCOURSE_PASSWORD": PASSWORD, "CONCOURSE_INIT_ROOT_PASSWORD": PASSWORD,
        }
        self.process = subprocess.Popen(
            [executable, "start", "--home", self.home], env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        atexit.register(self.clean)
        self.ready = threading.Event()
        threading.Thread(target=self.read, daemon=True).start()
        if not self.ready.wait(PATIENCE) or self.process.poll() is not None:
            raise SystemExit("the host does not come up:\n" + self.log)

    def read(self):
        for line in self.process.stdout:
            self.log += line
            if line.startswith("Concourse is ready"):
                self.ready.set()
        self.ready.set()

    def port(self, who="Clients"):
        return int(re.search(rf"^{who} reach it at \S+:(\d+)", self.log, re.M)[1])

    def management_port(self):
        return self.port("Tools of the original")

    def users(self, *arguments, stdin=""):
        done = subprocess.run([self.executable, "users", *arguments, "--no-input"],
                              env=self.environment, input=stdin, text=True, capture_output=True)
        if done.returncode:
            raise SystemExit(f"users {arguments}: {done.stderr}")
        return done.stdout

    def create(self, username, *permissions):
        self.users("create", username, "--set-role", "USER", "--set-password-file", "-", stdin=PASSWORD + "\n")
        for permission in permissions:
            self.users("grant", username, "--permission", permission, "--environment", "billing")

    def signal_plugin(self, number):
        """Signals the plugin, which is the host's child."""
        for path in glob.glob(f"/proc/{self.process.pid}/task/*/children"):
            for pid in open(path).read().split():
                os.kill(int(pid), number)

    def stop(self):
        self.signal_plugin(signal.SIGCONT)
        self.process.terminate()
        if self.process.wait(PATIENCE):
            print(self.log)
            raise SystemExit(f"the host ended with {self.process.returncode}")

    def clean(self):
        """Leaves nothing behind, whatever went wrong."""
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)


class Upstream:
    """A data server as a process of its own, in one of the languages."""

    def __init__(self, command):
        self.calls = []
        self.process = subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.calls.append(line.rstrip("\n"))

    def settings(self):
        return f"upstream.address: 127.0.0.1:{self.port}", "upstream.username: host", "upstream.password: the host's own"

    def stop(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE)


def await_(what, condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("it did not come about that " + what)
        time.sleep(0.02)
