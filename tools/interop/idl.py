"""Prints Thrift's interface of Concourse's services, made of the table of methods.

    idl.py methods.tsv > concourse.thrift
    idl.py methods.tsv old > old.thrift

The second is core's as drivers for Python, Ruby and PHP have it, which know no
PermissionException.
"""
import csv
import sys

# Keys of maps and elements of sets must be hashable in Python.
TYPES = """
namespace java concourse

enum Type { BOOLEAN = 1, DOUBLE, FLOAT, INTEGER, LONG, LINK, STRING, TAG, NULL, TIMESTAMP, FUNCTION }
enum Operator { REGEX = 1, NOT_REGEX, EQUALS, NOT_EQUALS, GREATER_THAN, GREATER_THAN_OR_EQUALS, LESS_THAN,
  LESS_THAN_OR_EQUALS, BETWEEN, LINKS_TO, LIKE, NOT_LIKE, CONTAINS, NOT_CONTAINS }
enum Diff { ADDED = 1, REMOVED }
enum TSymbolType { CONJUNCTION = 1, KEY, VALUE, PARENTHESIS, OPERATOR, TIMESTAMP }
enum ComplexTObjectType { SCALAR = 1, MAP, LIST, SET, TOBJECT, TCRITERIA, BINARY }

struct AccessToken { 1: required binary data }
struct TransactionToken { 1: required AccessToken accessToken, 2: required i64 timestamp }
struct TObject { 1: required binary data, 2: required Type type = Type.STRING } (python.immutable = "")
struct TSymbol { 1: required TSymbolType type, 2: required string symbol } (python.immutable = "")
struct TCriteria { 1: required list<TSymbol> symbols } (python.immutable = "")
struct TOrderComponent { 1: required string key, 2: optional TObject timestamp, 3: required i32 direction }
struct TOrder { 1: required list<TOrderComponent> spec }
struct TPage { 1: required i32 skip, 2: required i32 limit }
struct ComplexTObject {
  1: required ComplexTObjectType type, 2: optional TObject tscalar,
  3: optional map<ComplexTObject, ComplexTObject> tmap, 4: optional list<ComplexTObject> tlist,
  5: optional set<ComplexTObject> tset, 6: optional TObject tobject, 7: optional TCriteria tcriteria,
  8: optional binary tbinary
} (python.immutable = "")

exception TransactionException {}
"""
WITH_MESSAGE = ["DuplicateEntry", "InvalidArgument", "InvalidOperation", "Parse", "Security", "Management", "Permission"]


def main(table, old=False):
    services = {}
    with open(table, newline="") as f:
        for m in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE):
            if not old or m["mux"] == "core":
                services.setdefault(m["service"], []).append(m)
    print(TYPES)
    for name in WITH_MESSAGE:
        print(f"exception {name}Exception {{ 1: string message }}")
    for service, methods in services.items():
        print(f"\nservice {service} {{")
        for m in methods:
            arguments = [a.split(":", 2) for a in m["args"].split(" ") if a != "-"]
            exceptions = [e.split(":") for e in m["exceptions"].split(" ") if e != "-"]
            exceptions = [(i, t) for i, t in exceptions if not old or t != "PermissionException"]
            print(f"  {m['return']} {m['method']}({', '.join(f'{i}: {t} {n}' for i, n, t in arguments)})"
                  f" throws ({', '.join(f'{i}: {t} e{i}' for i, t in exceptions)})")
        print("}")


main(sys.argv[1], sys.argv[2:] == ["old"])
