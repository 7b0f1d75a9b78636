import ./vm-container.nix "docker"
