# Sourced by `nix develop` and direnv: brings .venv up to uv.lock, and does nothing if it is.
hermes_root=$(git rev-parse --show-toplevel 2>/dev/null || pwd)
if [ -f "$hermes_root/uv.lock" ]; then
    hermes_stamp=$hermes_root/.venv/.nix-stamp
    hermes_wanted="$(cat "$hermes_root/uv.lock" "$hermes_root/pyproject.toml" | cksum) $UV_PYTHON"
    if [ "$(cat "$hermes_stamp" 2>/dev/null)" != "$hermes_wanted" ]; then
        if (cd "$hermes_root" && uv sync --frozen --all-extras --group dev); then
            printf '%s\n' "$hermes_wanted" >"$hermes_stamp"
        else
            echo "The Python packages could not be installed; enter the shell again to try again." >&2
        fi
    fi
    export VIRTUAL_ENV=$hermes_root/.venv
    export PATH=$VIRTUAL_ENV/bin:$PATH
fi
unset hermes_root hermes_stamp hermes_wanted
