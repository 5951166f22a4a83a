#!/usr/bin/env bash
# A product made of curl and openssl, as mesh-witness asks it to act:
#
#   drive.sh handshake|send|receive|track
#
# Everything else is in the environment (docs/drivers.md). Needs bash, curl, openssl, gzip and coreutils.
set -euo pipefail

api=$MESH_URL/messageexchange/$MESH_MAILBOX_ID
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A token is good for one call, so each has a nonce of its own.
token() {
    local nonce at text hash
    nonce=$(openssl rand -hex 16 | sed -E 's/(.{8})(.{4})(.{4})(.{4})(.{12})/\1-\2-\3-\4-\5/')
    at=$(date -u +%Y%m%d%H%M)
    text=$MESH_MAILBOX_ID:$nonce:1:$MESH_MAILBOX_PASSWORD:$at
    # The key stands on openssl's command line for a moment, where others on this machine can see it: for tests.
    hash=$(printf %s "$text" | openssl dgst -sha256 -hmac "$MESH_SHARED_KEY" -r | cut -d' ' -f1)
    printf 'NHSMESH %s:%s:1:%s:%s' "$MESH_MAILBOX_ID" "$nonce" "$at" "$hash"
}

# call OUTPUT ARGUMENTS…: makes a call and prints its status. Never repeats one.
call() {
    local output=$1
    shift
    printf 'header = "Authorization: %s"\n' "$(token)" >"$work/token"
    curl --silent --show-error --max-time 50 --config "$work/token" \
        --cacert "$MESH_CA_FILE" --cert "$MESH_CLIENT_CERT" --key "$MESH_CLIENT_KEY" \
        --header 'Accept: application/vnd.mesh.v2+json' \
        --output "$output" --write-out '%{http_code}' "$@"
}

# demand EXPECTED OUTPUT ARGUMENTS…: the same, and ends everything when the status is another.
demand() {
    local expected=$1 output=$2 status
    shift 2
    status=$(call "$output" "$@")
    if [[ $status != "$expected" ]]; then
        printf 'expected %s, was answered %s: ' "$expected" "$status" >&2
        head -c 300 "$output" >&2
        exit 1
    fi
}

handshake() {
    demand 200 "$work/answer" --request POST --header 'Mex-ClientVersion: drive.sh==1' --header 'Mex-OSName: Linux' \
        --header 'Mex-OSVersion: any' --header 'Mex-OSArchitecture: any' "$api"
}

send() {
    local common=(--header 'Content-Type: application/octet-stream')
    [[ $MESH_COMPRESS != yes ]] || common+=(--header 'Content-Encoding: gzip' --header 'Mex-Content-Compressed: Y')
    mkdir "$work/parts"
    if [[ -n $MESH_CHUNK_SIZE ]]; then
        split --bytes="$MESH_CHUNK_SIZE" --numeric-suffixes=1 --suffix-length=4 "$MESH_PAYLOAD_FILE" "$work/parts/"
    else
        cp "$MESH_PAYLOAD_FILE" "$work/parts/0001"
    fi
    [[ $MESH_COMPRESS != yes ]] || { gzip "$work"/parts/* && for part in "$work"/parts/*.gz; do mv "$part" "${part%.gz}"; done; }
    local parts=("$work"/parts/*) number=1 range=()
    local all=${#parts[@]}
    ((all == 1)) || range=(--header "Mex-Chunk-Range: 1:$all")
    demand 202 "$work/answer" --request POST --data-binary "@${parts[0]}" "${common[@]}" "${range[@]}" \
        --header "Mex-From: $MESH_MAILBOX_ID" --header "Mex-To: $MESH_RECIPIENT_ID" \
        --header "Mex-WorkflowID: $MESH_WORKFLOW_ID" --header "Mex-LocalID: $MESH_LOCAL_ID" \
        --header "Mex-Subject: $MESH_SUBJECT" --header "Mex-FileName: $MESH_FILE_NAME" "$api/outbox"
    local message
    message=$(sed -E 's/.*"message_id" *: *"([^"]+)".*/\1/' "$work/answer")
    for part in "${parts[@]:1}"; do
        number=$((number + 1))
        demand 202 "$work/answer" --request POST --data-binary "@$part" "${common[@]}" \
            --header "Mex-Chunk-Range: $number:$all" "$api/outbox/$message/$number"
    done
    echo "sent $message"
}

# What a look at the inbox lists is taken, and then comes another look, until nothing new is listed.
receive() {
    local seen=' ' message new
    while :; do
        demand 200 "$work/list" "$api/inbox"
        new=
        for message in $(tr -d ' \n' <"$work/list" | sed -E 's/.*"messages":\[([^]]*)\].*/\1/' | tr ',' '\n' | tr -d '"'); do
            [[ $seen != *" $message "* ]] || continue
            seen+="$message " new=yes
            take "$message"
        done
        [[ -n $new ]] || return 0
    done
}

take() {
    local message=$1 status number=1 gzip=()
    [[ $MESH_COMPRESS != yes ]] || gzip=(--compressed)
    status=$(call "$work/part" "${gzip[@]}" "$api/inbox/$message")
    case $status in
    200 | 206) ;;
    404 | 410)
        echo "cannot be had: $message $status"
        return
        ;;
    *)
        echo "download of $message was answered $status" >&2
        exit 1
        ;;
    esac
    mv "$work/part" "$work/whole"
    while [[ $status == 206 ]]; do
        number=$((number + 1))
        status=$(call "$work/part" "${gzip[@]}" "$api/inbox/$message/$number")
        if [[ $status != 200 && $status != 206 ]]; then
            echo "download of chunk $number of $message was answered $status" >&2
            exit 1
        fi
        cat "$work/part" >>"$work/whole"
    done
    # Kept first, acknowledged then: what is acknowledged is gone from MESH.
    mv "$work/whole" "$MESH_OUTPUT_DIR/$message"
    demand 200 "$work/answer" --request PUT "$api/inbox/$message/status/acknowledged"
    echo "received $message"
}

track() {
    demand 200 "$work/answer" --get --data-urlencode "messageID=$MESH_MESSAGE_ID" "$api/outbox/tracking"
    cat "$work/answer"
}

case ${1:-} in
handshake | send | receive | track) "$1" ;;
*)
    echo 'usage: drive.sh handshake|send|receive|track' >&2
    exit 2
    ;;
esac
