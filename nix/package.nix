# The program: every Python package of uv.lock as a derivation, and wrappers that give it the
# programs it starts. All arguments can be changed with `.override`.
{
  lib,
  stdenv,
  callPackage,
  runCommand,
  makeWrapper,
  bubblewrap,
  chromium,
  ffmpeg-headless,
  git,
  nodejs,
  openssh,
  ripgrep,

  pyproject-nix,
  uv2nix,
  pyproject-build-systems,

  python,
  # Names from pyproject.toml's optional-dependencies; null takes all of them.
  extras ? [
    "discord"
    "email"
    "mcp"
    "server"
  ],
  withChromium ? false,
  # More programs for the agent, after those that the machine has.
  extraPrograms ? [ ],
  # Changes to the Python packages, an overlay on the set of pyproject.nix.
  pythonOverlay ? (_final: _prev: { }),
  revision ? null,
}:
let
  inherit (lib.importTOML ../pyproject.toml) project;

  workspace = uv2nix.lib.workspace.loadWorkspace { workspaceRoot = ../.; };

  # What a build reads; changed documentation is no new package.
  source = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      ../pyproject.toml
      ../README.md
      ../LICENSE
      (lib.fileset.fileFilter (file: !file.hasExt "pyc") ../src)
    ];
  };

  fixes = final: prev: {
    hermes-agent = prev.hermes-agent.overrideAttrs { src = source; };

    # It is there as source only, and does not say what builds it.
    atomicwrites = prev.atomicwrites.overrideAttrs (old: {
      nativeBuildInputs = old.nativeBuildInputs ++ final.resolveBuildSystem { setuptools = [ ]; };
    });

    # Its wheel wants the compiler's OpenMP library, which is not one of the usual libraries.
    xllamacpp = prev.xllamacpp.overrideAttrs (old: {
      buildInputs = (old.buildInputs or [ ]) ++ lib.optional stdenv.hostPlatform.isLinux stdenv.cc.cc.lib;
    });
  };

  pythonSet = (callPackage pyproject-nix.build.packages { inherit python; }).overrideScope (
    lib.composeManyExtensions [
      pyproject-build-systems.overlays.wheel
      (workspace.mkPyprojectOverlay { sourcePreference = "wheel"; })
      fixes
      pythonOverlay
    ]
  );

  allExtras = lib.attrNames project.optional-dependencies;
  chosen = if extras == null then allExtras else extras;
  unknown = lib.subtractLists allExtras chosen;

  environment = pythonSet.mkVirtualEnv "hermes-agent-env" { hermes-agent = chosen; };

  programs = [
    git
    ripgrep
    openssh
    ffmpeg-headless
    nodejs
  ]
  ++ lib.optional stdenv.hostPlatform.isLinux bubblewrap
  ++ lib.optional (withChromium && lib.meta.availableOn stdenv.hostPlatform chromium) chromium
  ++ extraPrograms;
in
assert lib.assertMsg (unknown == [ ])
  "hermes-agent: no such extras: ${lib.concatStringsSep ", " unknown}; there are ${lib.concatStringsSep ", " allExtras}";
runCommand "hermes-agent-${project.version}"
  {
    pname = "hermes-agent";
    inherit (project) version;
    nativeBuildInputs = [ makeWrapper ];
    passthru = {
      inherit environment python pythonSet;
      # Root's side of the host command runs on it.
      interpreter = "${environment}/bin/python";
      extras = chosen;
    };
    meta = {
      inherit (project) description;
      license = lib.licenses.mit;
      mainProgram = "hermes";
      platforms = lib.platforms.unix;
    };
  }
  ''
    for name in ${lib.escapeShellArgs (lib.attrNames project.scripts)}; do
      # Suffix: what the person or the container has installed comes first.
      makeWrapper ${environment}/bin/$name $out/bin/$name \
        --unset PYTHONPATH \
        --suffix PATH : ${lib.makeBinPath programs} ${
          lib.optionalString (revision != null) "--set-default HERMES_REVISION ${revision}"
        }
    done
  ''
