# One operation on a file: stat, read, write, remove or list.
# $1 the fence, $2 the operation, $3 an absolute path (or below ~), $4 for `read` how many bytes
# Says `ok`, then fields that end with NUL, then the contents; or `error`, a kind and a sentence.
# `write` says the resolved path first and waits for a line of consent before the contents.
fence=$1 what=$2 path=$3
LC_ALL=C
export LC_ALL
say() { printf '\036%s %s\036' "$fence" "$1"; }
fail() { say "error $1 $2"; exit 1; }

# Leaves in `real` the path without links; what is not there yet may follow at its end.
resolve() {
  here=$1 rest= links=0
  while :; do
    # readlink takes the newline away that a name may end with
    if real=$(readlink -f -- "$here" 2>/dev/null && echo .); then break; fi
    if [ -L "$here" ]; then
      links=$((links + 1))
      [ "$links" -le 40 ] || fail ELOOP "$path"
      target=$(readlink -- "$here"; echo .)
      target=${target%
.}
      case $target in /*) here=$target ;; *) here=${here%/*}/$target ;; esac
      continue
    fi
    rest=/${here##*/}$rest
    here=${here%/*}
    [ -n "$here" ] || here=/
  done
  real=${real%
.}
  [ "$real" != / ] || real=
  real=$real$rest
  [ -n "$real" ] || real=/
  case $real/ in */../* | */./*) fail ENOENT "$path" ;; esac
}

# Leaves `folder`, entered and held, and `name` below it.
enter() {
  folder=${1%/*} name=${1##*/}
  [ -n "$folder" ] || folder=/
  if [ -z "$name" ]; then folder=/ name=.; fi
  cd -P -- "$folder" 2>/dev/null || {
    [ -e "$folder" ] || fail ENOENT "$path"
    [ -d "$folder" ] || fail ENOTDIR "$path"
    fail EACCES "$path"
  }
  [ "$(pwd -P; echo .)" = "$folder
." ] || fail ELOOP "$path"
}

case $path in '~') path=$HOME ;; '~/'*) path=$HOME/${path#??} ;; esac

case $what in
  stat)
    resolve "$path"
    facts=$(stat -L -c '%f %s %Y' -- "$real" 2>/dev/null) || {
      above=${real%/*}
      [ -d "${above:-/}" ] && [ ! -x "${above:-/}" ] && fail EACCES "$path"
      say "none"
      exit
    }
    say ok
    printf '%s\0%s\0' "$real" "$facts"
    ;;
  read)
    resolve "$path"
    enter "$real"
    [ -e "./$name" ] || fail ENOENT "$path"
    [ ! -d "./$name" ] || fail EISDIR "$path is a directory"
    [ -f "./$name" ] || fail EINVAL "$path is not a regular file"
    [ -r "./$name" ] || fail EACCES "$path"
    exec 4<"./$name"
    # What was opened decides, not what lay there a moment before.
    if opened=$(readlink /proc/self/fd/4 <&4 && echo .); then
      real=${opened%
.}
    fi
    say ok
    printf '%s\0' "$real"
    [ "$4" = 0 ] || head -c "$4" <&4
    ;;
  list)
    resolve "$path"
    [ -e "$real" ] || fail ENOENT "$path"
    [ -d "$real" ] || fail ENOTDIR "$path"
    cd -P -- "$real" 2>/dev/null || fail EACCES "$path"
    say ok
    printf '%s\0' "$real"
    for entry in * .*; do
      case $entry in . | ..) continue ;; esac
      if [ -e "$entry" ] || [ -L "$entry" ]; then printf '%s\0' "$entry"; fi
    done
    ;;
  remove)
    above=${path%/*}
    resolve "${above:-/}"
    real=${real%/}/${path##*/}
    say "may $real"
    read -r consent || exit 1
    enter "$real"
    [ -e "./$name" ] || [ -L "./$name" ] || fail ENOENT "$path"
    if [ -d "./$name" ] && [ ! -L "./$name" ]; then fail EISDIR "$path is a directory"; fi
    words=$(rm -f -- "./$name" 2>&1) || fail EACCES "$words"
    say ok
    ;;
  write)
    resolve "$path"
    [ ! -d "$real" ] || fail EISDIR "$path is a directory"
    if [ -e "$real" ] && [ ! -f "$real" ]; then fail EINVAL "$path is not a regular file"; fi
    say "may $real"
    read -r consent || exit 1
    above=${real%/*}
    words=$(mkdir -p -- "${above:-/}" 2>&1) || fail EACCES "$words"
    enter "$real"
    fresh=.hermes-$consent
    trap 'rm -f -- "./$fresh"' EXIT
    set -C
    { : >"./$fresh"; } 2>/dev/null || fail EACCES "$path cannot be written"
    set +C
    words=$(dd bs=65536 conv=fsync of="./$fresh" 2>&1) || case $words in
      *"No space left"*) fail ENOSPC "$path" ;;
      *"too large"*) fail EFBIG "$path" ;;
      *"quota"*) fail EDQUOT "$path" ;;
      *) fail EIO "$words" ;;
    esac
    if [ -L "./$name" ] || [ -d "./$name" ]; then fail ELOOP "$path"; fi
    if [ -f "./$name" ]; then
      chown "$(stat -c %u:%g -- "./$name")" "./$fresh" 2>/dev/null
      chmod "$(stat -c %a -- "./$name")" "./$fresh"
    fi
    words=$(mv -f -- "./$fresh" "./$name" 2>&1) || fail EACCES "$words"
    say ok
    ;;
esac
