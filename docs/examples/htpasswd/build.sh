#!/bin/sh
# Builds the backend into one executable file, of the same bytes each time, so
# that its SHA-256 sum can be pinned:
#
#   build.sh OUTPUT [PROTO]
#
# PROTO is the directory with the contract's .proto files; in a clone of the
# repository it is found.
set -eu

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
  echo "usage: build.sh OUTPUT [PROTO]" >&2
  exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
output=$1
proto=${2:-$here/../../../shared/proto}
python=/usr/bin/python3 # and not the first in the search path, which may lack the packages

if [ ! -e "$proto/concourse/users/v1/users.proto" ]; then
  echo "there is no concourse/users/v1/users.proto in $proto; name the directory of the contract's .proto files" >&2
  exit 1
fi
command -v protoc >/dev/null || { echo "protoc is missing; it is in Debian's package protobuf-compiler" >&2; exit 1; }
$python -c 'import grpc.aio, bcrypt, argon2, cryptography, google.protobuf, precis_i18n' || {
  echo "$python lacks a package; on Debian: apt-get install python3-grpcio python3-protobuf python3-bcrypt python3-argon2 python3-cryptography python3-precis-i18n" >&2
  exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
protoc --proto_path="$proto" --python_out="$work" \
  concourse/account/v1/account.proto concourse/users/v1/users.proto
protoc --proto_path="$here/proto" --python_out="$work" \
  error_details.proto health.proto controller.proto
mkdir "$work/backend"
cp "$here"/backend/*.py "$work/backend"
cp "$here/__main__.py" "$work"
"$python" "$here/pack.py" "$work" "$output"
