# The smallest one.
{
  services.hermes-agent = {
    enable = true;
    settings.model.default = "anthropic/claude-sonnet-4";
    environmentFiles = [ "/run/secrets/hermes-env" ];
    addToSystemPackages = true;
  };
}
