# The commands that people and scripts call must be there. Argument: the package.
hermes=$1/bin/hermes
check() {
    group=$1
    shift
    said=$("$hermes" ${group:+"$group"} --help)
    for command in "$@"; do
        printf '%s\n' "$said" | grep -Eq "^  $command( |\$)" \
            || { echo "hermes $group has no command $command"; exit 1; }
    done
}
check "" chat config deploy doctor gateway model sessions setup status tools version
check gateway install restart run start status stop uninstall
check config edit get path set show
check deploy check prepare schema
"$hermes" gateway run --help | grep -q -- --verbose
"$hermes" gateway --help | grep -q -- --verbose
"$hermes" gateway run --help | grep -q -- --replace
