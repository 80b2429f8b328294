#!/bin/sh
# provision.sh ACCOUNTS PASSWORD [OPTION …] makes a host's accounts what the file
# or directory ACCOUNTS says, with "concourse users apply" and its options. Run
# it at boot and whenever the file has changed: what is as it should be stays
# untouched, sessions included.
#
# Who asks is CONCOURSE_USERNAME, or admin, and the file PASSWORD has the
# password. On a new host that is not the administrator's yet: while the home
# has a file with the first one, the script, run by the home's owner, takes that.
# Let ACCOUNTS give the administrator's account the password in PASSWORD.
#
# The exit status is that of "concourse users apply", see the guide.
set -eu

[ $# -ge 2 ] || { echo "usage: provision.sh ACCOUNTS PASSWORD [OPTION ...]" >&2; exit 2; }
accounts=$1 password=$2
shift 2
first=${CONCOURSE_HOME:-/var/lib/concourse}/initial-admin-password
errors=$(mktemp)
trap 'rm -f "$errors"' EXIT

# While no host answers (7) or it throttles logins (11), it is asked again, for
# a minute. Once logged in, the command sees to that itself.
tries=30
while :; do
  own=$password
  [ ! -r "$first" ] || own=$first
  code=0
  concourse users apply --file "$accounts" --username "${CONCOURSE_USERNAME:-admin}" \
    --password-file "$own" --no-input "$@" </dev/null 2>"$errors" || code=$?
  case $code in
  7 | 11) [ $((tries -= 1)) -gt 0 ] || break ;;
  *) break ;;
  esac
  sleep 2
done
cat "$errors" >&2
exit "$code"
