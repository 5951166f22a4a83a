# What the peer tests written for the shell share. Read by them.
# shellcheck shell=bash disable=SC2034 # they end with `failed`

failed=0

check() { # check WHAT EXPECTED ACTUAL: the one has to be a pattern that the other matches
    # shellcheck disable=SC2053 # a pattern is meant
    if [[ $3 == $2 ]]; then
        printf 'ok      %s\n' "$1"
    else
        printf 'FAILED  %s\n        | expected %s, got %s\n' "$1" "$2" "${3:0:2000}"
        failed=1
    fi
}
