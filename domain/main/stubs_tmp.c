
#include "eal/eal.h"
#include "eal/nic.h"
#include "vif/vif.h"
const char *eal_resume(void); void eal_seal(void); void eal_nic_quiet(const struct pcifront_device *d); int nic_resume(struct port **p, unsigned m);
__attribute__((weak)) const char *eal_resume(void){ return "not written yet"; }
__attribute__((weak)) void eal_seal(void){}
__attribute__((weak)) void eal_nic_quiet(const struct pcifront_device *d){(void)d;}
__attribute__((weak)) int nic_resume(struct port **p, unsigned m){(void)p;(void)m;return 0;}
