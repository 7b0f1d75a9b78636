import ./vm-container.nix "podman"
