# What a package must have. Arguments: the package, the version, the names of its programs.
package=$1 version=$2
shift 2
for name in "$@"; do
    [ -x "$package/bin/$name" ] || { echo "bin/$name is missing"; exit 1; }
done
said=$("$package/bin/hermes" --version)
case $said in
    *"v$version "*) ;;
    *) echo "hermes --version says: $said; pyproject.toml says $version"; exit 1 ;;
esac
# Data files that belong to the program, from the built package.
"$package/bin/hermes" deploy schema >"$TMPDIR/schema.json"
grep -q '"stateDir"' "$TMPDIR/schema.json"
