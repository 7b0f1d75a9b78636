# A container of Docker with a GPU and a folder of the host.
{
  services.hermes-agent = {
    enable = true;
    settings.model.default = "anthropic/claude-sonnet-4";
    environmentFiles = [ "/run/secrets/hermes-env" ];
    container = {
      enable = true;
      extraVolumes = [ "/home/alice/projects:/projects:rw" ];
      extraOptions = [
        "--gpus"
        "all"
      ];
    };
  };
}
