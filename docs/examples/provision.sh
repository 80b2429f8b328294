#!/bin/sh
# provision.sh ACCOUNTS SECRETS makes a host's accounts as a file says.
#
# Each line of the file ACCOUNTS is a username, a role, and any number of
# grants, such as
#
#     jeff   USER   READ:default WRITE:billing
#
# The account's password is the first line of the file SECRETS/username. What
# is as it should be stays untouched, sessions included, so the script may run
# as often as you like. It takes nothing away: no account, and no grant that
# the file does not name.
#
# Who asks is CONCOURSE_USERNAME, or admin, with the password in
# SECRETS/username of that name. The exit status is that of the first command
# that failed, see the guide; whatever it was, the script may run again.
set -eu

[ $# = 2 ] || { echo "usage: provision.sh ACCOUNTS SECRETS" >&2; exit 2; }
accounts=$1 secrets=$2
administrator=${CONCOURSE_USERNAME:-admin}
errors=$(mktemp)
trap 'rm -f "$errors"' EXIT
changes=0

# ask VERB … runs one subcommand of "concourse users" and leaves what it prints
# in $answer. While the host is away (7) or throttles (11) it tries again for a
# minute. When an answer got lost (12) it asks again under the same request id,
# so that nothing is done twice.
ask() {
  verb=$1 tries=0 request=""
  shift
  while :; do
    code=0
    answer=$(concourse users "$verb" ${request:+--request-id "$request"} \
      --username "$administrator" --password-file "$secrets/$administrator" \
      --no-input --format json "$@" </dev/null 2>"$errors") || code=$?
    tries=$((tries + 1))
    case $code in
    7 | 11 | 12) [ "$tries" -lt 30 ] || break ;;
    *) break ;;
    esac
    if [ "$code" = 12 ]; then
      request=$(sed -n 's/.*"request_id":"\([0-9a-f-]*\)".*/\1/p' "$errors")
    fi
    sleep 2
  done
  return "$code"
}

# change SENTENCE VERB … is ask for what changes something: it says what was
# done, or ends the script.
change() {
  sentence=$1
  shift
  ask "$@" || fail
  case $answer in
  *'"changed":true'*)
    echo "$sentence"
    changes=$((changes + 1)) ;;
  esac
}

fail() {
  cat "$errors" >&2
  exit "$code"
}

while read -r name role grants || [ -n "$name" ]; do
  case $name in '' | '#'*) continue ;; esac

  change "$name: created with the role $role" \
    create --if-not-exists --set-role "$role" --set-password-file "$secrets/$name" -- "$name"
  change "$name: role set to $role" edit --set-role "$role" -- "$name"

  if ! ask check-password --check-password-file "$secrets/$name" -- "$name"; then
    [ "$code" = 13 ] || fail
    change "$name: password set" password --set-password-file "$secrets/$name" -- "$name"
  fi

  for grant in $grants; do
    change "$name: granted ${grant%%:*} in ${grant#*:}" \
      grant --permission "${grant%%:*}" --environment "${grant#*:}" -- "$name"
  done
done <"$accounts"

echo "changes: $changes"
