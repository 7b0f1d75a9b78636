{ config, ... }:
{
  services.hermes-agent = {
    authFile = config.sops.secrets."hermes/auth.json".path;
    # authFileForceOverwrite = true; # overwrite on every activation
  };
}
