"""A read-only account backend: accounts from two text files.

It serves the contract between the Concourse host and a users plugin,
concourse.users.v1.Users, without any Go. It never writes a file, and it never
puts a password or a hash into a message or a log line. The modules, from the
process inwards:

    process    what the process owes its host and its secrets
    handshake  how host and plugin find and prove themselves to each other
    log        lines that the host's log understands
    server     the gRPC server; goplugin: what go-plugin asks of every plugin
    service    the calls of the contract; watch: its stream of changes
    directory  the accounts as of now; files: how they are written
    hashes     the hash schemes; slots: how many passwords are checked at once
    names, accounts, refusal   the nouns
"""

NAME = "htpasswd"
VERSION = "1.0.0"
