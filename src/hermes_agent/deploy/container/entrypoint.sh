#!/bin/sh
# The container's first program, as its root: makes the agent's user, and becomes it.
#
# It runs at every start, in any image with a POSIX shell, and with a network or without. Everything
# it reads lies in /run/hermes, which is the host's and read-only.
set -u
umask 022
unset IFS CDPATH ENV

say() { printf 'hermes-agent: %s\n' "$*" >&2; }
fail() { say "$1"; exit "${2:-1}"; }

# What a line of /etc/passwd or /etc/group with this in its third field has in its first, and the
# other way round.
name_of() { while IFS=: read -r name _ number _; do
    [ "$number" = "$1" ] && { printf '%s\n' "$name"; return; }
done < "$2"; }
number_of() { while IFS=: read -r name _ number _; do
    [ "$name" = "$1" ] && { printf '%s\n' "$number"; return; }
done < "$2"; }

add_line() { # FILE LINE
    [ -z "$(tail -c 1 "$1" 2>/dev/null)" ] || echo >> "$1"
    printf '%s\n' "$2" >> "$1"
}

# A name that the image has given to another number stays that one's.
free_name() { # NAME NUMBER FILE
    if [ -z "$(number_of "$1" "$3")" ]; then printf '%s\n' "$1"; else printf '%s-%s\n' "$1" "$2"; fi
}

make_group() {
    [ -e /etc/group ] || : > /etc/group
    found=$(name_of "$gid" /etc/group)
    [ -n "$found" ] || add_line /etc/group "$(free_name "$group" "$gid" /etc/group):x:$gid:"
}

make_user() {
    [ -e /etc/passwd ] || : > /etc/passwd
    shell=/bin/sh
    [ ! -x /bin/bash ] || shell=/bin/bash
    found=$(name_of "$uid" /etc/passwd)
    if [ -z "$found" ]; then
        found=$(free_name "$user" "$uid" /etc/passwd)
        add_line /etc/passwd "$found:x:$uid:$gid:Hermes Agent:/home/hermes:$shell"
        # Without an entry there, sudo takes the account for a broken one.
        [ ! -f /etc/shadow ] || add_line /etc/shadow "$found:!:19000::::::"
    else
        # The image has somebody with this number; it keeps the name and gets our home and group.
        lines=$(while IFS=: read -r name word number main about home shell_; do
            [ "$name" != "$found" ] || { main=$gid home=/home/hermes shell_=$shell; }
            printf '%s\n' "$name:$word:$number:$main:$about:$home:$shell_"
        done < /etc/passwd)
        printf '%s\n' "$lines" > /etc/passwd
    fi
    user=$found
}

make_home() {
    mkdir -p "$notes" || fail "Cannot write to the container's own layer. Is its disk full?"
    before=$(cat "$notes/uid" 2>/dev/null)
    if [ ! -d /home/hermes ]; then
        mkdir -p /home/hermes || fail "Cannot make /home/hermes"
        [ ! -d /etc/skel ] || cp -R /etc/skel/. /home/hermes/
        find /home/hermes -exec chown -h "$uid:$gid" {} +
    elif [ -n "$before" ] && [ "$before" != "$uid" ]; then
        find /home/hermes -xdev -user "$before" -exec chown -h "$uid:$gid" {} +
    fi
    chown -h "$uid:$gid" /home/hermes
    printf '%s\n' "$uid" > "$notes/uid"
}

make_sudo() {
    if [ "$sudo" = yes ]; then
        mkdir -p /etc/sudoers.d
        rm -f /etc/sudoers.d/hermes-agent
        printf '#%s ALL=(ALL:ALL) NOPASSWD: ALL\n' "$uid" > /etc/sudoers.d/hermes-agent
        chmod 0440 /etc/sudoers.d/hermes-agent
    else
        rm -f /etc/sudoers.d/hermes-agent
    fi
}

# What somebody did as root of the container, by sudo or docker exec, is the agent's again.
give_back() {
    for place in /data/.hermes "$workspace"; do
        case $place in /data/*) ;; *) continue ;; esac
        [ -d "$place" ] || continue
        find "$place" -xdev ! -user "$uid" -exec chown -h "$uid:$gid" {} +
    done
}

# Once, and again only where it did not work: the agent never waits for it.
provision() {
    [ -n "$packages" ] || return 0
    command -v apt-get > /dev/null || return 0
    [ "$(cat "$notes/provisioned" 2>/dev/null)" != "$packages" ] || return 0
    export DEBIAN_FRONTEND=noninteractive
    if ! all_there; then
        say "installing in the background: $packages"
        timeout 1200 sh -c '
            dpkg --configure -a &&
            apt-get -q -o Acquire::Retries=1 -o Acquire::http::Timeout=30 update &&
            apt-get -q -y -o DPkg::Lock::Timeout=600 -o Acquire::Retries=1 \
                -o Acquire::http::Timeout=30 install --no-install-recommends "$@"
        ' provision $packages > "$notes/provision.log" 2>&1 < /dev/null
        if [ $? -ne 0 ] || ! all_there; then
            say "not everything could be installed, which is tried again at the next start;" \
                "see $notes/provision.log in the container"
            return 0
        fi
        say "installed: $packages"
    fi
    printf '%s\n' "$packages" > "$notes/provisioned"
}
all_there() {
    for package in $packages; do
        case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
            'install ok installed') ;;
            *) return 1 ;;
        esac
    done
}

notes=/var/lib/hermes-agent
. /run/hermes/identity || fail "There is no /run/hermes/identity: start the service on the host." 78
[ -x /data/current-package/bin/hermes ] || fail "$(readlink /data/current-package 2>/dev/null \
    || echo /data/current-package) is not to be seen in the container; packageRoots must hold it." 78
make_group
make_user
chmod a+r /etc/passwd /etc/group  # an engine may have made them up, for root alone
make_home
make_sudo
give_back
# In a process of its own, so that it is nobody's child whom the agent would have to wait for.
( provision & )

# From here on only the positional parameters are sure: the variables may have any names.
eval "set -- $(cat /run/hermes/arguments)"
set -- /data/current-package/bin/hermes gateway run --replace "$@"
if setpriv --reuid "$uid" --regid "$gid" --clear-groups true 2>/dev/null; then
    [ "$sudo" = yes ] || set -- --no-new-privs --inh-caps=-all --bounding-set=-all "$@"
    if [ -n "$groups" ]; then set -- --groups "$groups" "$@"; else set -- --clear-groups "$@"; fi
    set -- setpriv --reuid "$uid" --regid "$gid" "$@"
elif command -v su > /dev/null; then
    # The minimal setpriv of busybox cannot change users; its su executes without a process between.
    set -- su -m -s /bin/sh -c 'exec "$0" "$@"' -- "$user" "$@"
else
    fail "The image has neither setpriv nor su." 78
fi
cd "$workspace" 2>/dev/null || cd /
umask 0007
export USER="$user" LOGNAME="$user"
set -a
. /run/hermes/environment
[ ! -f /run/hermes/supervisor ] || . /run/hermes/supervisor
set +a
[ ! -d /run/hermes/credentials ] || export CREDENTIALS_DIRECTORY=/run/hermes/credentials
export HOME=/home/hermes
export PATH="/home/hermes/.venv/bin:/home/hermes/.local/bin:$PATH"
exec "$@"
