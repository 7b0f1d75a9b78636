"""Nix code, in tiers.

One: every file is parsed, and the checks' scripts are run on this checkout; this needs Nix (on
PATH, or by scripts/prepare-nix). Two: packages, modules, checks and the guides' examples are
evaluated down to their derivations, and what the modules make is started, where variables name
checked-out trees. Whoever changes Nix code runs the second, which takes minutes:

    NIXPKGS=… PYPROJECT_NIX=… UV2NIX=… BUILD_SYSTEM_PKGS=… HOME_MANAGER=… scripts/test tests/nix

Building what is evaluated here takes a binary cache: .github/workflows/nix.yml.
"""
