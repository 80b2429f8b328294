"""Values of every type of the interface, each made of a number, which can be
read from it again: so a data server can tell whether all arguments of a call
came through, and a client whether the answer belongs to its call.

Samples.java makes the same of the same numbers.
"""
import csv
import importlib

from thrift.Thrift import TType

# What a call carries besides its own arguments, by type; and its environment.
CARRIED = {"AccessToken": "creds", "TransactionToken": "transaction"}


class Method:
    """A method of the table, and the generated classes of its call."""

    def __init__(self, row, package):
        self.name, self.mux = row["method"], row["mux"]
        self.access, self.void = row["access"], row["return"] == "void"
        self.declares = {e.split(":")[1] for e in row["exceptions"].split(" ") if e != "-"}
        if row["token_arg"] != "-" and row["env_arg"] != "-" and self.access == "none" and "parameters" not in row["args"]:
            self.access = "read"  # which the original forgot to check
        if self.name in ("findOrAddKeyValue", "invokePlugin"):
            self.access = "write"  # and here it has READ do, for what may change data
        self.service = importlib.import_module(f"{package}.{row['service']}")
        self.arguments = [f for f in getattr(self.service, f"{self.name}_args").thrift_spec if f]
        self.carries = [self.carried(f) for f in self.arguments]
        result = getattr(self.service, f"{self.name}_result").thrift_spec
        self.result = result[0] if result else None

    @staticmethod
    def carried(field):
        """The name of what a call carries there; None: an argument of its own."""
        if field[1] == TType.STRUCT:
            return CARRIED.get(field[3][0].__name__)
        return "environment" if field[2] == "environment" else None

    def call(self, number, carried):
        return [carried.get(c) if c else sample(f[1], f[3], number) for f, c in zip(self.arguments, self.carries)]

    def number(self, values):
        """The number that a call was made of; 0 where its arguments say none."""
        for field, carried, value in zip(self.arguments, self.carries, values):
            if not carried:
                n = number(field[1], value)
                if n is not None:
                    return n
        return 0

    def answer(self, values):
        return sample(self.result[1], self.result[3], self.number(values)) if self.result else None


def methods(table, package):
    with open(table, newline="") as f:
        rows = csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Method(r, package) for r in rows if r["mux"] != "-" and (package == "concourse" or r["mux"] == "core")]


# What the host answers itself, and what is not like the others.
SPECIAL = {"login", "logout", "stage", "commit", "abort", "invokeManagement", "getServerEnvironment"}


def sample(kind, form, n):
    if kind == TType.BOOL:
        return n % 2 == 0
    if kind == TType.I32:  # perhaps an enumeration, which has at least two values
        return 1 + n % 2
    if kind == TType.I64:
        return n
    if kind == TType.STRING:
        return str(n).encode() if form == "BINARY" else str(n)
    if kind == TType.LIST:
        return [sample(form[0], form[1], n)]
    if kind == TType.SET:
        return {sample(form[0], form[1], n)}
    if kind == TType.MAP:
        return {sample(form[0], form[1], n): sample(form[2], form[3], n)}
    cls = form[0]
    if cls.__name__ == "ComplexTObject":  # which may hold itself
        return cls(type=1, tscalar=sample(TType.STRUCT, cls.thrift_spec[2][3], n))
    return cls(**{f[2]: sample(f[1], f[3], n) for f in cls.thrift_spec if f})


def number(kind, value):
    if kind == TType.I64:
        return value
    if kind == TType.STRING:
        return int(value)
    if kind in (TType.LIST, TType.SET):
        first = next(iter(value))
        return number({int: TType.I64, str: TType.STRING}.get(type(first), TType.STRUCT), first)
    if kind == TType.STRUCT:
        for f in value.thrift_spec:
            n = number(f[1], getattr(value, f[2])) if f else None
            if n is not None:
                return n
    return None
