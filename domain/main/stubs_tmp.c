#include "eal/eal.h"
void eal_nic_quiet(const struct pcifront_device *d);
__attribute__((weak)) void eal_nic_quiet(const struct pcifront_device *d){(void)d;}
