#!/bin/sh
# In a mount namespace of its own: set up mounts as systemd 253 and later do for a service, leave
# the old root, and try bubblewrap as nobody. $1 an empty directory, $2 "whole" for a whole /proc.
set -e
mount --make-rprivate /
root=$1/root
mount -t tmpfs tmpfs "$1"
mkdir "$root"
mount --rbind / "$root"
# Whatever else is a whole /proc would do as well.
while read -r _ _ _ _ place rest; do
  case $rest in *" - proc "*)
    case $place in "$root/proc" | "$root"/proc/*) ;; "$root"/*) umount -l "$place" ;; esac ;;
  esac
done < /proc/self/mountinfo
mount -t proc -o hidepid=invisible,nosuid,nodev,noexec proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
if [ "$2" = whole ]; then
  mkdir -p "$root/mnt"
  mount -t tmpfs -o mode=0700 tmpfs "$root/mnt"
  mkdir "$root/mnt/all"
  mount --rbind /proc "$root/mnt/all"
fi
cd "$root"
pivot_root . tmp
umount -l /tmp
cd /
exec setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs \
  bwrap --bind / / --dev /dev --proc /proc --unshare-pid --unshare-ipc echo mounted
