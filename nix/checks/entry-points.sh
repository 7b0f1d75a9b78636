# The package has the programs of pyproject.toml, and no others. Arguments: the package, their names.
package=$1
shift
wanted=$(printf '%s\n' "$@" | sort)
found=$(cd "$package/bin" && ls | sort)
[ "$wanted" = "$found" ] || { echo "pyproject.toml: $wanted"; echo "bin: $found"; exit 1; }
for name in "$@"; do "$package/bin/$name" --help >/dev/null; done
