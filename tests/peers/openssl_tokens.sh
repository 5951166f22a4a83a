#!/usr/bin/env bash
# openssl makes the tokens and opens the connections, curl makes the calls: the emulator agrees with
# both on what a MESH token is and on which TLS it may be carried over.
set -euo pipefail
# shellcheck source=check.sh
source "$(dirname "${BASH_SOURCE[0]}")/check.sh"

witness=${MESH_WITNESS_BIN:-target/release/mesh-witness}
mailbox=X26ABC1 password=password shared_key=TestKey
work=$(mktemp -d)

token() { # token [TIMESTAMP [NONCE [COUNT]]]
    local timestamp=${1:-$(date -u +%Y%m%d%H%M)} nonce=${2:-$(cat /proc/sys/kernel/random/uuid)} count=${3:-0} hash
    hash=$(printf %s "$mailbox:$nonce:$count:$password:$timestamp" | openssl dgst -sha256 -hmac "$shared_key" -r | cut -d' ' -f1)
    printf 'NHSMESH %s:%s:%s:%s:%s' "$mailbox" "$nonce" "$count" "$timestamp" "$hash"
}

call() { # call CURL-ARGUMENTS…: the status
    curl --silent --output /dev/null --write-out '%{http_code}' --max-time 20 --cacert "$work/pki/ca.pem" "$@" || true
}
known=(--cert "$work/pki/$mailbox.pem" --key "$work/pki/$mailbox-key.pem")
handshake() { # handshake TOKEN: the status
    call "${known[@]}" --request POST --header "Authorization: $1" --header 'Mex-ClientVersion: curl' \
        --header 'Mex-OSName: Linux' --header 'Mex-OSVersion: any' "$url/messageexchange/$mailbox"
}

# connect OPTIONS…: what openssl says when it asks for the ping over a connection of its own
ping_call=$'GET /messageexchange/_ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
connect() {
    local address=$1
    shift
    printf %s "$ping_call" | timeout 20 openssl s_client -connect "$address" -CAfile "$work/pki/ca.pem" \
        -verify_return_error -ign_eof "$@" 2>&1 || true
}

# What is started in the background opens its log when it gets to it: the file has to be there before that is read.
: >"$work/log"
: >"$work/old.log"
"$witness" emulate --listen 127.0.0.1:0 --pki "$work/pki" --shared-key "$shared_key" >"$work/log" 2>&1 </dev/null &
emulator=$!
control=
trap 'kill "$emulator" $control 2>/dev/null || true; rm -rf "$work"' EXIT
trap 'exit 143' TERM INT
for _ in {1..300}; do
    url=$(sed -n 's/^listening on \(https:.*\)$/\1/p' "$work/log")
    [[ -n $url ]] && break
    sleep 0.1
done
[[ -n $url ]] || { cat "$work/log"; exit 1; }
address=${url#https://}

# Tokens.
first=$(token)
check 'a token made by openssl is accepted' 200 "$(handshake "$first")"
check 'the same token a second time is refused' 403 "$(handshake "$first")"
check 'another token is accepted after that' 200 "$(handshake "$(token)")"

nonce=$(cat /proc/sys/kernel/random/uuid) now=$(date -u +%Y%m%d%H%M)
check 'a nonce at count 0 is accepted' 200 "$(handshake "$(token "$now" "$nonce" 0)")"
check 'the same nonce at count 1 is accepted' 200 "$(handshake "$(token "$now" "$nonce" 1)")"

good=$(token)
last=${good: -1}
check 'a hash with its last digit changed is refused' 403 "$(handshake "${good%?}$([[ $last == 0 ]] && echo 1 || echo 0)")"
check 'that token as it should be is accepted' 200 "$(handshake "$good")"

check 'a token of 110 minutes ago is accepted' 200 "$(handshake "$(token "$(date -u -d '-110 minutes' +%Y%m%d%H%M)")")"
check 'a token of 130 minutes ago is refused' 403 "$(handshake "$(token "$(date -u -d '-130 minutes' +%Y%m%d%H%M)")")"
check 'a token of 130 minutes ahead is refused' 403 "$(handshake "$(token "$(date -u -d '+130 minutes' +%Y%m%d%H%M)")")"
check 'no token at all is refused' 403 "$(handshake '')"
password=wrong
check 'a token made with a wrong password is refused' 403 "$(handshake "$(token)")"
password=password
check 'the ping needs no token' 200 "$(call "${known[@]}" "$url/messageexchange/_ping")"

# What `token` makes and explains.
made() { MESH_MAILBOX_PASSWORD=$password MESH_SHARED_KEY=$shared_key "$witness" token --mailbox "$mailbox" "$@" 2>/dev/null; }
said_of() { # said_of TOKEN: the exit code, and what is wrong by the explanation
    local said code=0
    said=$(printf '%s\n' "$1" | made --explain -) || code=$?
    printf '%s %s' "$code" "$(sed -n 's/^[a-z]* *WRONG *//p' <<<"$said" | paste -sd';')"
}
hashed() { # hashed TEXT DGST-ARGUMENTS…: a token whose hash is of this text
    local text=$1
    shift
    printf 'NHSMESH %s:%s:0:%s:%s' "$mailbox" "$nonce" "$now" "$(printf %b "$text" | openssl dgst -sha256 "$@" -r | cut -d' ' -f1)"
}
nonce=$(cat /proc/sys/kernel/random/uuid) now=$(date -u +%Y%m%d%H%M)
check 'token makes what openssl makes' "$(token "$now" "$nonce" 7)" "$(made --nonce "$nonce" --count 7 --at "$now")"
check 'the emulator takes it, as curl sends the line' 200 "$(call "${known[@]}" --request POST --header "$(made --header)" \
    --header 'Mex-ClientVersion: curl' --header 'Mex-OSName: Linux' --header 'Mex-OSVersion: any' "$url/messageexchange/$mailbox")"
check 'a token of openssl is explained as good' '0 ' "$(said_of "$(token)")"
start=$mailbox:$nonce:0
check 'as one of two hours and a bit ago it is not' '1 it is outside the two hours*' \
    "$(said_of "$(token "$(date -u -d '-130 minutes' +%Y%m%d%H%M)")")"
check 'British Summer Time is recognised' '1 *British Summer Time*' "$(said_of "$(token "$(date -u -d '+1 hour' +%Y%m%d%H%M)")")"
check 'so are secrets that are swapped' '1 the password and the shared key are swapped' \
    "$(said_of "$(hashed "$start:$shared_key:$now" -hmac "$password")")"
check 'so is the order of the header' '1 the fields are hashed in the order of the header*' \
    "$(said_of "$(hashed "$start:$now:$password" -hmac "$shared_key")")"
check 'so is a password left out' '1 the password is left out*' "$(said_of "$(hashed "$start:$now" -hmac "$shared_key")")"
check 'so is a hash without a key' '1 it is a plain SHA-256*' "$(said_of "$(hashed "$start:$password:$now")")"
check 'so is the line end that echo adds' '1 a line end is hashed, too*' "$(said_of "$(hashed "$start:$password:$now\n" -hmac "$shared_key")")"
check 'so is one behind the shared key' '1 the shared key has a line end behind it' \
    "$(said_of "$(hashed "$start:$password:$now" -hmac "$shared_key"$'\n')")"
check 'so is base64' '1 it is written in base64*' "$(said_of "NHSMESH $start:$now:$(
    printf %s "$start:$password:$now" | openssl dgst -sha256 -hmac "$shared_key" -binary | base64
)")"

# TLS.
for version in 1.2 1.3; do
    check "curl is served over TLS $version" 200 "$(call "${known[@]}" --tlsv$version --tls-max $version "$url/messageexchange/_ping")"
    check "curl without a client certificate gets no answer over TLS $version" 000 "$(call --tlsv$version --tls-max $version "$url/messageexchange/_ping")"
    said=$(connect "$address" -tls${version/./_} "${known[@]/#--/-}")
    check "openssl verifies the certificate over TLS $version" '*Verify return code: 0 (ok)*' "$said"
    check "openssl is served over TLS $version" '*HTTP/1.1 200*' "$said"
done
check 'the certificate names 127.0.0.1 and localhost' '*DNS:localhost*IP Address:127.0.0.1*' \
    "$(openssl s_client -connect "$address" </dev/null 2>/dev/null | openssl x509 -noout -ext subjectAltName)"

# TLS 1.1: openssl has to be talked into it, so a server of its own shows first that it then does speak it.
old=(-tls1_1 -cipher 'ALL:@SECLEVEL=0')
openssl req -x509 -newkey rsa:2048 -noenc -days 2 -subj /CN=localhost -keyout "$work/old-key.pem" -out "$work/old.pem" 2>/dev/null
openssl s_server -accept 127.0.0.1:0 -cert "$work/old.pem" -key "$work/old-key.pem" "${old[@]}" -www >"$work/old.log" 2>&1 </dev/null &
control=$!
for _ in {1..100}; do
    old_address=$(sed -n 's/^ACCEPT \(.*\)$/\1/p' "$work/old.log")
    [[ -n $old_address ]] && break
    sleep 0.1
done
check 'openssl speaks TLS 1.1 where it is let' '*Protocol*: TLSv1.1*' "$(openssl s_client -connect "$old_address" "${old[@]}" </dev/null 2>&1 || true)"
check 'and is refused it by the emulator' '*alert*' "$(openssl s_client -connect "$address" "${old[@]}" "${known[@]/#--/-}" </dev/null 2>&1 || true)"

exit "$failed"
