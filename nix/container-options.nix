# The options of the container mode.
{ lib }:
let
  inherit (lib) mkOption types literalExpression;
in
{
  enable = mkOption {
    type = types.bool;
    default = false;
    description = "Whether the agent runs in a container that lives on, where it may install packages.";
  };

  backend = mkOption {
    type = types.enum [
      "docker"
      "podman"
    ];
    default = "docker";
    description = ''
      The container engine. It is enabled by default: {option}`virtualisation.docker.enable` for
      Docker, {option}`virtualisation.podman.enable` for Podman.
    '';
  };

  image = mkOption {
    type = types.str;
    default = "ubuntu:24.04";
    description = "The image that the container begins as. Another image makes a new container.";
  };

  extraVolumes = mkOption {
    type = types.listOf types.str;
    default = [ ];
    example = [ "/home/user/projects:/projects:rw" ];
    description = "More volumes, as `host:container` or `host:container:mode`. A change makes a new container.";
  };

  extraOptions = mkOption {
    type = types.listOf types.str;
    default = [ ];
    example = [
      "--gpus"
      "all"
    ];
    description = "More arguments for `docker create` or `podman create`. A change makes a new container.";
  };

  network = mkOption {
    type = types.str;
    default = "host";
    example = "bridge";
    description = ''
      The container's network. With `host` the agent reaches what listens on the host's loopback.
      A change makes a new container.
    '';
  };

  sudo = mkOption {
    type = types.bool;
    default = true;
    description = ''
      Whether the agent may become root inside the container, as `apt` needs. With that it can read
      all of the state directory. A change makes a new container.
    '';
  };

  hostUsers = mkOption {
    type = types.listOf types.str;
    default = [ ];
    example = [ "alice" ];
    description = "People who become members of {option}`group` and so may use `hermes` on the host.";
  };

  provision = mkOption {
    type = types.nullOr (types.listOf types.str);
    default = null;
    example = [ ];
    description = ''
      Debian packages for the container's first start; `null` takes sudo, Python, Node and curl. The
      agent does not wait for them.
    '';
  };

  program = mkOption {
    type = types.nullOr types.str;
    default = null;
    example = literalExpression "lib.getExe pkgs.podman";
    description = "The engine's command line; `null` finds it in the system's PATH.";
  };
}
