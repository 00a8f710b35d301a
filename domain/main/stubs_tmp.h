
const char *eal_resume(void); void eal_seal(void); void eal_nic_quiet(const struct pcifront_device *d); int nic_resume(struct port **p, unsigned m);
