#!/usr/bin/python3 -I
"""Prints a line of the users file: hash.py USERNAME.

It asks for the password on a terminal, and otherwise takes the first line of
standard input. Apache's `htpasswd -nB USERNAME` prints such lines too, of bcrypt.
"""

import getpass
import sys

import argon2


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: hash.py USERNAME")
    username = sys.argv[1]
    if sys.stdin.isatty():
        password = getpass.getpass(f"Password for {username}: ").encode()
    else:
        password = sys.stdin.buffer.readline().rstrip(b"\r\n")
    if not password:
        sys.exit("the password is empty")
    # What OWASP recommends at least.
    hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
    print(f"{username}:{hasher.hash(password)}")


main()
