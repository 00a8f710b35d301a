# SPDX-License-Identifier: BSD-2-Clause
# What the kernel takes from DPDK's and musl's archives, all unmodified. Gives to mk/kernel.mk:
#
#   DPDK_CFLAGS   flags to compile against DPDK, its private headers too
#   DPDK_READY    targets that must exist before anything is compiled (order only)
#   DPDK_LIBS     link line: NIC drivers, DPDK's libraries, the environment layer's portable objects.
#   DPDK_BUILT    prerequisites of the link: those parts of DPDK_LIBS that are made here
#   LIBC_LIBS     link line: musl's archive; what may come from it is listed in MUSL_OBJECTS
#   EAL_SRCS      our sources of the environment layer
#   LIBC_SRCS     our sources of the C library
#
# Chosen on the command line:
#
#   NICS          NIC drivers to link (default: e1000, virtio, vmxnet3, which have carried frames in the
#                 lab; e1000 is em: 8254x, 8257x, 82583, I21x). mk/nics.mk has the others; all: all of them.
#
# The link may name no other object of musl or of librte_eal.a: tools/check-linkmap.

NICS ?= e1000 virtio vmxnet3

BUILD ?= build
DPDK_ARCHIVES ?= /usr/lib/x86_64-linux-gnu
MUSL_LIBC ?= /usr/lib/x86_64-linux-musl/libc.a
DPDK_OUT := $(BUILD)/dpdk
DPDK_PRIVATE ?= $(BUILD)/dpdk-src
NICS_STAMP ?= $(DPDK_OUT)/nics

include mk/nics.mk
ifeq ($(strip $(NICS)),all)
override NICS := $(NICS_ALL)
endif
ifeq ($(strip $(NICS)),none)
override NICS :=
endif
NICS_UNKNOWN := $(foreach n,$(NICS),$(if $(NIC_$(n)),,$(n)))
ifneq ($(strip $(NICS_UNKNOWN)),)
$(error NICS=$(NICS_UNKNOWN): unknown to mk/dpdk.mk)
endif

# Objects of librte_eal.a with no operating system in them. What they miss is in domain/eal/.
EAL_OBJECTS := $(addprefix eal_common_eal_common_,$(addsuffix .c.o,bus class config cpuflags dev \
	devargs errno fbarray hexdump interrupts mcfg memalloc memory memzone string_fns tailqs \
	trace_points uuid)) \
	$(addprefix eal_common_,$(addsuffix .c.o,malloc_elem malloc_heap rte_malloc rte_random \
	rte_reciprocal rte_version)) \
	eal_x86_rte_cpuflags.c.o eal_x86_rte_spinlock.c.o
BUS_PCI_OBJECTS := bus_pci_pci_common.c.o bus_pci_pci_params.c.o
TELEMETRY_OBJECTS := telemetry_telemetry_data.c.o

DPDK_LIBRARIES := librte_ethdev librte_mbuf librte_mempool librte_ring librte_net librte_kvargs \
	librte_meter librte_pci librte_gso librte_hash librte_ip_frag

# Objects of musl's archive that are pure computation.
MUSL_OBJECTS := memchr memcmp memcpy memmove memrchr memset stpcpy stpncpy strcasecmp strcat strchr \
	strchrnul strcmp strcpy strcspn strdup strlcat strlcpy strlen strncasecmp strncat strncmp \
	strncpy strndup strnlen strpbrk strrchr strsep strspn strstr strtok strtok_r __ctype_b_loc \
	isalnum isalpha isdigit isprint isspace isxdigit tolower toupper bcmp qsort qsort_nr bsearch log10

DPDK_CFLAGS := -isystem /usr/include/dpdk -isystem /usr/include/x86_64-linux-gnu/dpdk \
	-isystem $(DPDK_PRIVATE) -include rte_config.h -D_GNU_SOURCE \
	-DALLOW_INTERNAL_API -DALLOW_EXPERIMENTAL_API
EAL_SRCS := $(wildcard domain/eal/*.c)
LIBC_SRCS := $(wildcard domain/libc/*.c)

DPDK_NIC_OBJECTS := $(foreach n,$(NICS),$(foreach o,$(wordlist 2,9,$(NIC_$(n))),$(DPDK_OUT)/$(o).c.o))
DPDK_NIC_LIBRARIES := $(foreach n,$(NICS),$(word 1,$(NIC_$(n)))) $(NIC_LIBRARIES)
DPDK_PMD_INFO := $(DPDK_OUT)/pmd_info-$(subst $() $(),-,$(strip $(NICS))).o
DPDK_BUILT := $(NICS_STAMP) $(DPDK_OUT)/libeal.a $(DPDK_NIC_OBJECTS) $(DPDK_PMD_INFO)
DPDK_LIBS := --start-group $(DPDK_NIC_OBJECTS) $(DPDK_PMD_INFO) \
	$(patsubst %,$(DPDK_ARCHIVES)/%.a,$(sort $(DPDK_NIC_LIBRARIES) $(DPDK_LIBRARIES))) \
	$(DPDK_OUT)/libeal.a --end-group
LIBC_LIBS := $(MUSL_LIBC)
DPDK_READY := $(DPDK_PRIVATE)/.version $(DPDK_BUILT)

# Changes when NICS does.
$(NICS_STAMP): FORCE
	@mkdir -p $(@D)
	@echo '$(NICS)' | cmp -s - $@ || echo '$(NICS)' > $@
.PHONY: FORCE
FORCE:

# The headers follow the installed package: tools/fetch-dpdk-source compares versions.
$(DPDK_PRIVATE)/.version: $(DPDK_ARCHIVES)/librte_eal.a tools/fetch-dpdk-source
	@echo "  fetch DPDK's private headers"
	@tools/fetch-dpdk-source $(DPDK_PRIVATE)
	@touch $@

$(DPDK_OUT)/libeal.a: $(DPDK_ARCHIVES)/librte_eal.a mk/dpdk.mk
	@rm -rf $@ $(DPDK_OUT)/objects && mkdir -p $(DPDK_OUT)/objects
	@ar x --output $(DPDK_OUT)/objects $< $(EAL_OBJECTS)
	@ar x --output $(DPDK_OUT)/objects $(DPDK_ARCHIVES)/librte_bus_pci.a $(BUS_PCI_OBJECTS)
	@ar x --output $(DPDK_OUT)/objects $(DPDK_ARCHIVES)/librte_telemetry.a $(TELEMETRY_OBJECTS)
	@ar rcD $@ $(DPDK_OUT)/objects/*.o

# $(1) archive, $(2) object
define nic-object-rule
$(DPDK_OUT)/$(2).c.o: $(DPDK_ARCHIVES)/$(1).a mk/dpdk.mk mk/nics.mk
	@mkdir -p $$(@D)
	@ar p $$< $$(@F) > $$@
endef
$(foreach n,$(NICS),$(foreach o,$(wordlist 2,9,$(NIC_$(n))),$(eval $(call nic-object-rule,$(word 1,$(NIC_$(n))),$(o)))))

# Each driver carries its PCI ids as text; those of the chosen ones go into the image.
$(DPDK_PMD_INFO): mk/dpdk.mk mk/nics.mk
	@mkdir -p $(@D)
	@echo '.section .rodata.pmd_info,"aR"' > $(@:.o=.S)
	@$(foreach n,$(NICS),$(foreach p,$(NIC_PMDS_$(n)),\
		strings -n 16 $(DPDK_ARCHIVES)/$(word 1,$(NIC_$(n))).a | \
		grep -F 'PMD_INFO_STRING= {"name": "$(p)",' | head -n 1 | \
		sed 's/["\\]/\\&/g; s/.*/.asciz "&"/' >> $(@:.o=.S);))
	@as -o $@ $(@:.o=.S)
