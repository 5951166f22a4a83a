#!/usr/bin/env bash
# openssl reads what `csr` makes, signs it, and opens a connection with the certificate; `check` then takes both.
set -euo pipefail
# shellcheck source=check.sh
source "$(dirname "${BASH_SOURCE[0]}")/check.sh"

witness=$(realpath "${MESH_WITNESS_BIN:-target/release/mesh-witness}")
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
trap 'exit 143' TERM INT
cd "$work"
name=X26HC005.X26.api.mesh-client.nhs.uk

code() { # code COMMAND…: its exit code; what it says is in said.txt
    local code=0
    "$@" >said.txt 2>&1 </dev/null || code=$?
    printf %s "$code"
}

# What is made.
check 'a key and a request are made' 0 "$(code "$witness" csr --mailbox X26HC005 --ods X26)"
check 'nothing of the key is printed' '' "$(grep -F -f <(grep -v -- ----- X26HC005-key.pem) said.txt || true)"
command=$(sed -n 's/^  \(openssl req .*\)$/\1/p' said.txt)
said=$(bash -c "$command" 2>&1)
check 'openssl verifies the request, by the command that csr tells' '*verify OK*' "$said"
check 'it is for RSA of 2048 bits' '*Public-Key: (2048 bit)*' "$said"
check 'it is signed with SHA-256' '*Signature Algorithm: sha256WithRSAEncryption*' "$said"
check 'the common name is all of its subject' "subject=CN=$name" "$(openssl req -in X26HC005.csr -noout -subject -nameopt RFC2253)"
check 'it has no e-mail address, no password and no extension' '' "$(grep -iE 'email|challenge|X509v3' <<<"$said" || true)"
check 'openssl finds the key sound' 'Key is valid' "$(openssl pkey -in X26HC005-key.pem -noout -check 2>&1)"
check 'the key is the one of the request' "$(openssl pkey -in X26HC005-key.pem -pubout)" "$(openssl req -in X26HC005.csr -noout -pubkey)"
check 'the key is for its owner alone' 600 "$(stat -c %a X26HC005-key.pem)"
check 'a second call overwrites nothing' 2 "$(code "$witness" csr --mailbox X26HC005 --ods X26)"
check 'a key of 4096 bits is made' 0 "$(code "$witness" csr --local-id SERVER001 --ods X26 --bits 4096 --out long)"
check 'openssl sees the 4096 bits' '*(4096 bit)*' "$(openssl req -in long/SERVER001.csr -noout -text)"

# Keys that openssl makes.
openssl genrsa -traditional -out old.pem 2048 2>/dev/null
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out new.pem 2>/dev/null
for key in old new; do
    check "a key of openssl's is used ($(head -1 $key.pem | tr -d -))" 0 \
        "$(code "$witness" csr --local-id $key --ods X26 --existing-key $key.pem)"
    check 'and openssl verifies that request' '*verify OK*' "$(openssl req -in $key.csr -verify -noout 2>&1)"
    check 'which has that key' "$(openssl pkey -in $key.pem -pubout)" "$(openssl req -in $key.csr -noout -pubkey)"
done
openssl genpkey -algorithm RSA -aes256 -pass pass:sesame -out sealed.pem 2>/dev/null
openssl ecparam -name prime256v1 -genkey -noout -out curve.pem
openssl genrsa -out short.pem 1024 2>/dev/null
openssl pkey -in new.pem -outform der -out key.der
for key in sealed curve short; do
    check "a key that is $key is refused" 2 "$(code "$witness" csr --local-id $key --ods X26 --existing-key $key.pem)"
    check 'with what it is' '*holds * key*: *' "$(cat said.txt)"
done
check 'a key in DER is refused' 2 "$(code "$witness" csr --local-id der --ods X26 --existing-key key.der)"
check 'with the command that mends it' '*openssl pkey -inform der -in key.der*' "$(cat said.txt)"

# An authority such as NHS England's signs it; the certificate is for clients alone.
openssl req -x509 -newkey rsa:2048 -noenc -days 2 -subj '/CN=An authority' -keyout ca-key.pem -out ca.pem 2>/dev/null
sign() { # sign REQUEST CERTIFICATE
    openssl x509 -req -in "$1" -CA ca.pem -CAkey ca-key.pem -days 2 -out "$2" \
        -extfile <(printf 'extendedKeyUsage=clientAuth\nbasicConstraints=CA:FALSE\n') 2>/dev/null
}
sign X26HC005.csr X26HC005.pem
openssl req -x509 -newkey rsa:2048 -noenc -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
    -keyout server-key.pem -out server.pem 2>/dev/null
: >server.log
openssl s_server -accept 127.0.0.1:0 -cert server.pem -key server-key.pem -CAfile ca.pem -Verify 1 \
    -verify_return_error -www >server.log 2>&1 </dev/null &
server=$!
for _ in {1..100}; do
    address=$(sed -n 's/^ACCEPT \(.*\)$/\1/p' server.log)
    [[ -n $address ]] && break
    sleep 0.1
done
get=$'GET / HTTP/1.0\r\n\r\n'
said=$(printf %s "$get" | timeout 20 openssl s_client -connect "$address" -CAfile server.pem -ign_eof \
    -cert X26HC005.pem -key X26HC005-key.pem 2>&1 || true)
check 'with key and certificate openssl is served over mutual TLS' '*HTTP/1.0 200*' "$said"
said=$(printf %s "$get" | timeout 20 openssl s_client -connect "$address" -CAfile server.pem -ign_eof 2>&1 || true)
check 'and without them it is not' '' "$(grep 'HTTP/1.0 200' <<<"$said" || true)"

# The configuration takes both, and tells a certificate of another key.
config() { # config CERTIFICATE
    printf '%s\n' 'environment: INT' 'endpoint:' "  url: https://localhost:${address##*:}" '  ca_file: server.pem' \
        "  client_certificate_file: $1" '  client_key_file: X26HC005-key.pem' '  shared_key: aSharedKey' \
        'mailboxes: {product: {id: X26HC005, password: pass-one}, counterpart: {id: X26HC006, password: pass-two}}' \
        'workflow_id: TEST_WORKFLOW' 'product: {name: Example, version: "1"}' 'supplier: {name: Example}' >config.yaml
}
config X26HC005.pem
code "$witness" check --config config.yaml >/dev/null
check 'check finds key and certificate right' "*config.yaml: is right*$name*" "$(cat said.txt)"
sign old.csr other.pem
config other.pem
check 'check refuses the certificate of another request' 2 "$(code "$witness" check --config config.yaml)"
check 'and says that they do not belong together' '*does not belong to the certificate*' "$(cat said.txt)"

exit "$failed"
