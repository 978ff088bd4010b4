# rootfs and shares over virtiofs, by a virtiofsd of the host; for guests whose numbers of flags and errors are the host's
CONFIG_VHOST_USER_FS=y
