#!/usr/bin/env bash
# All that a release must pass, from a clean clone of what is committed: deploy/release-check.sh FOLDER
# FOLDER gets the wheels, the screenshots and a log of each step. Needs make, Python, Chromium and a Docker engine.
set -euo pipefail
out=$(realpath -m "${1:-runs/release}")
here=$(git -C "$(dirname "${BASH_SOURCE[0]}")" rev-parse --show-toplevel)
work=$(mktemp -d)
touch "$work/no.env"  # Compose 1 takes no /dev/null for a file
compose() { docker-compose --env-file "$work/no.env" --project-name moodstream-release "$@"; }
command -v docker-compose >/dev/null || compose() { docker compose --env-file "$work/no.env" --project-name moodstream-release "$@"; }

finish() {
    local code=$?
    [[ -f $work/moodstream/docker-compose.yml ]] && (cd "$work/moodstream" && compose down --volumes --remove-orphans >/dev/null 2>&1)
    rm -rf "$work"
    [[ $code = 0 ]] && echo "release-check: all passed; $out" || echo "release-check: FAILED in the step above; $out" >&2
}
trap finish EXIT

# step NAME COMMAND...: what it says goes into a file; the last lines are shown when it fails. In a shell of its own and in the
# background, because a condition would switch off that the first failure ends it.
step() {
    local name=$1 begun=$SECONDS; shift
    "$@" >"$out/$name.log" 2>&1 &
    if wait $!; then echo "ok      $name ($((SECONDS - begun)) s)"
    else echo "failed  $name"; tail -n 20 "$out/$name.log"; exit 1; fi
}

# within SECONDS COMMAND...: until it succeeds
within() {
    local end=$((SECONDS + $1)); shift
    until "$@" >/dev/null 2>&1; do (( SECONDS < end )) || return 1; sleep 1; done
}

# screenshots ADDRESS NAME: of a screen and of a phone; the page goes on for ever, so they are taken after a while
screenshots() {
    local size
    for size in 1280,900 390,844; do
        timeout 60 chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/chromium" \
            --window-size=$size --timeout=8000 --screenshot="$out/$2-${size%,*}.png" "$1"
        [[ $(stat --format %s "$out/$2-${size%,*}.png") -gt 10000 ]]
    done
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

rm -rf "$out"; mkdir -p "$out"
step clone git clone --quiet --no-hardlinks "$here" "$work/moodstream"
cd "$work/moodstream"
version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' moodstream/__init__.py)
echo "version $version, commit $(git rev-parse --short HEAD)"
[[ -n ${UNRELEASED:-} ]] || step changelog grep -q "^## $version" CHANGELOG.md

readme_run() {
    local port; port=$(free_port)
    HOME=$work make run ARGS="--port $port" &
    trap "kill $!; wait $! || true" EXIT
    within 60 curl --fail --silent "http://127.0.0.1:$port/"
    screenshots "http://127.0.0.1:$port/" run
}

demo() {
    MOODSTREAM_PORT=$(free_port) MOODSTREAM_PLAYER_PORT=$(free_port) MOODSTREAM_BRIDGE_PORT=$(free_port) MOODSTREAM_OSC_PORT=$(free_port)
    MOODSTREAM_IMAGES=moodstream-release
    export MOODSTREAM_PORT MOODSTREAM_PLAYER_PORT MOODSTREAM_BRIDGE_PORT MOODSTREAM_OSC_PORT MOODSTREAM_IMAGES
    make images
    compose --profile demo up --detach --no-build
    within 60 healthy
    within 90 playing
    screenshots "http://127.0.0.1:$MOODSTREAM_PORT/" compose
}
healthy() { [[ $(docker ps --quiet --filter label=com.docker.compose.project=moodstream-release --filter health=healthy | wc -l) = 8 ]]; }
playing() { [[ $(curl --fail --silent "http://127.0.0.1:$MOODSTREAM_PORT/api/v1/player") = *'"state":"playing"'* ]]; }

step setup make setup
step packages make packages-try OUT="$out"
step readme-run readme_run
step readme-test make test ARGS="${ARGS:--m 'not compose'}"
step arm64 make arm64
step images-and-demo demo
