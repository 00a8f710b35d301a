void eal_nic_quiet(const struct pcifront_device *d);
