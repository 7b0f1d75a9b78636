# A shell to work on the program: Python with all packages of uv.lock, and what the agent uses.
{
  lib,
  stdenv,
  mkShellNoCC,
  bubblewrap,
  chromium,
  ffmpeg-headless,
  git,
  nodejs,
  openssh,
  playwright-test,
  python311,
  ripgrep,
  uv,
  zlib,
}:
mkShellNoCC (
  {
    packages = [
      python311
      uv
      ffmpeg-headless
      git
      nodejs
      openssh
      playwright-test
      ripgrep
    ]
    ++ lib.optional stdenv.hostPlatform.isLinux bubblewrap
    ++ lib.optional (lib.meta.availableOn stdenv.hostPlatform chromium) chromium;

    UV_PYTHON = python311.interpreter;
    UV_PYTHON_DOWNLOADS = "never";
    # The browser is nixpkgs' own: playwright with `executablePath` chromium.
    PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD = "1";

    shellHook = builtins.readFile ./dev-shell.sh;
  }
  // lib.optionalAttrs stdenv.hostPlatform.isLinux {
    # Wheels from PyPI look for these.
    LD_LIBRARY_PATH = lib.makeLibraryPath [
      stdenv.cc.cc.lib
      zlib
    ];
  }
)
