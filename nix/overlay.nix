# What we add to nixpkgs. The three arguments are those flakes, or what they export as `lib` and
# `build` and `overlays`; `revision` is the commit that this tree was taken from, null if unknown.
{
  pyproject-nix,
  uv2nix,
  pyproject-build-systems,
  revision ? null,
}:
final: _prev: {
  hermes-agent = final.callPackage ./package.nix {
    python = final.python311;
    inherit
      pyproject-nix
      uv2nix
      pyproject-build-systems
      revision
      ;
  };

  # With everything that the agent can use: all extras, and a browser where nixpkgs has one.
  hermes-agent-full = final.hermes-agent.override {
    extras = null;
    withChromium = true;
  };
}
