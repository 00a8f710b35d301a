#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Wait until a driver domain runs and serves guests, as before `xl create` of a guest that needs it.
#
# usage: ferry-wait NAME [SECONDS]     120 seconds unless said
#
# Exit status: 0 it runs; 1 it does not within that time, is not to run, or Xen cannot be asked; 2 usage; 5 there is no such driver domain.
case $#,${2:-120} in
1,* | 2,[0-9] | 2,[0-9][0-9] | 2,[0-9][0-9][0-9]) ;;
*)
    echo 'usage: ferry-wait NAME [SECONDS], 999 at most' >&2
    exit 2
    ;;
esac
end=$(($(date +%s) + ${2:-120}))

while :; do
    answer=$(ferry status "$1" --json) || exit # ferry has said why: 5, or 1
    case $answer in
    *'"phase": "booting"'*) ;;
    *'"state": "running"'*) exit 0 ;;
    *'"state": "stop"'* | *'"state": "given up"'*)
        echo "$1 is not to run: ferry status $1" >&2
        exit 1
        ;;
    esac
    [ "$(date +%s)" -lt "$end" ] || break
    sleep 1
done
echo "$1 does not run: ferry status $1" >&2
exit 1
