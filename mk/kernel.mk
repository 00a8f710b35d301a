# SPDX-License-Identifier: BSD-2-Clause
# The kernel image, build/ferry-net. Linked twice: the second link carries the function names that
# the first one gave addresses to, and ends with copies of its data that a restart goes back to.
#
# NICS= chooses the drivers (mk/dpdk.mk). KERNEL_CC=clang builds with clang, KERNEL_BUILD= elsewhere.

include mk/dpdk.mk

KERNEL_CC ?= gcc
KERNEL_BUILD ?= $(BUILD)/kernel
KERNEL_IMAGE ?= $(BUILD)/ferry-net
# Where an image is linked: elsewhere than its objects, where several are made of the same ones (mk/install.mk).
KERNEL_LINKED ?= $(KERNEL_BUILD)
FERRY_VERSION := $(shell cat VERSION)

# For every image that is made of the platform rooms; the hostile guest is another (mk/hostile.mk).
PLATFORM_CFLAGS := -std=gnu11 -O2 -g -march=corei7 -fno-pic -fno-pie -mcmodel=small -mno-red-zone \
	-fno-strict-aliasing -fno-common -fno-asynchronous-unwind-tables -fstack-protector-strong \
	-ffunction-sections -fdata-sections -ftls-model=local-exec -U_FORTIFY_SOURCE \
	-ffile-prefix-map=$(CURDIR)=. -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes \
	-D__XEN_INTERFACE_VERSION__=__XEN_LATEST_INTERFACE_VERSION__ \
	-DFERRY_VERSION='"$(FERRY_VERSION)"' -Idomain -Iinclude
KERNEL_CFLAGS := $(PLATFORM_CFLAGS) $(DPDK_CFLAGS)

# FAULTS=1: an image that dies on request, for tests (domain/main/fault.h).
ifneq ($(FAULTS),)
KERNEL_CFLAGS += -DFERRY_FAULTS
endif

KERNEL_C := $(wildcard domain/pv/*.c domain/xen/*.c domain/vif/*.c domain/net/*.c \
	domain/main/*.c common/*.c) $(EAL_SRCS) $(LIBC_SRCS)
KERNEL_S := $(wildcard domain/arch/x86/*.S)
KERNEL_OBJS := $(patsubst %,$(KERNEL_BUILD)/%.o,$(KERNEL_C) $(KERNEL_S))
# What a running NIC depends on: kernels that have all of this in common can take one over.
KERNEL_NIC_PARTS = $(patsubst %,$(KERNEL_BUILD)/%.o,$(EAL_SRCS) $(LIBC_SRCS)) $(DPDK_NIC_OBJECTS) \
	$(DPDK_OUT)/libeal.a $(DPDK_ARCHIVES)/librte_ethdev.a $(DPDK_ARCHIVES)/librte_mbuf.a
# For bpf_filter.o alone: the filter of captures.
PCAP_ARCHIVE ?= /usr/lib/x86_64-linux-gnu/libpcap.a
KERNEL_LDS := domain/arch/x86/ferry.lds
KERNEL_LDFLAGS := -static -nostdlib --gc-sections -z noexecstack -z max-page-size=4096 \
	--no-warn-rwx-segments --build-id=none -T $(KERNEL_LDS)

.PHONY: kernel kernel-gcc kernel-clang kernel-faults kernel-no-e1000 test-images
kernel: $(KERNEL_IMAGE)

# Both compilers' images are checked; gcc's is the one that is shipped.
kernel-gcc:
	$(MAKE) --no-print-directory kernel KERNEL_CC=gcc
kernel-clang:
	$(MAKE) --no-print-directory kernel KERNEL_CC=clang KERNEL_BUILD=$(BUILD)/kernel-clang \
		KERNEL_IMAGE=$(BUILD)/kernel-clang/ferry-net

# What the system scenarios need besides: an image that dies on request, one without a driver for
# the lab's NIC, and the guest and the driver domain that attack.
test-images: kernel-faults kernel-no-e1000 hostile evil
kernel-no-e1000:
	$(MAKE) --no-print-directory kernel NICS="igc vmxnet3" KERNEL_LINKED=$(BUILD)/kernel-no-e1000 \
		NICS_STAMP=$(BUILD)/kernel-no-e1000/nics KERNEL_IMAGE=$(BUILD)/ferry-net-no-e1000
kernel-faults:
	$(MAKE) --no-print-directory kernel FAULTS=1 KERNEL_BUILD=$(BUILD)/kernel-faults \
		KERNEL_IMAGE=$(BUILD)/ferry-net-faults

$(KERNEL_BUILD)/%.c.o: %.c mk/kernel.mk mk/dpdk.mk VERSION | $(DPDK_READY)
	@mkdir -p $(@D)
	@echo "  $(KERNEL_CC) $<"
	@$(KERNEL_CC) $(KERNEL_CFLAGS) -MMD -MP -c -o $@ $<

$(KERNEL_BUILD)/%.S.o: %.S mk/kernel.mk VERSION
	@mkdir -p $(@D)
	@echo "  $(KERNEL_CC) $<"
	@$(KERNEL_CC) $(KERNEL_CFLAGS) -Wa,--noexecstack -D__ASSEMBLY__ -MMD -MP -c -o $@ $<

$(KERNEL_LINKED)/symbols-none.S: tools/mksymbols
	@mkdir -p $(@D)
	@tools/mksymbols nm > $@

$(KERNEL_LINKED)/symbols.S: $(KERNEL_LINKED)/first
	@tools/mksymbols nm $< $(KERNEL_NIC_PARTS) > $@

$(KERNEL_LINKED)/symbols-none.o $(KERNEL_LINKED)/symbols.o: %.o: %.S
	@$(KERNEL_CC) -c -o $@ $<

KERNEL_LINK = ld $(KERNEL_LDFLAGS) -Map $@.map -o $@ $(KERNEL_OBJS)
KERNEL_LIBS = $(DPDK_LIBS) $(PCAP_ARCHIVE) $(LIBC_LIBS)

$(KERNEL_LINKED)/first: $(KERNEL_OBJS) $(KERNEL_LINKED)/symbols-none.o $(KERNEL_LDS) $(DPDK_BUILT)
	@echo "  link $@"
	@$(KERNEL_LINK) $(KERNEL_LINKED)/symbols-none.o $(KERNEL_LIBS)

$(KERNEL_LINKED)/second: $(KERNEL_LINKED)/first $(KERNEL_LINKED)/symbols.o tools/check-linkmap
	@echo "  link $@"
	@$(KERNEL_LINK) $(KERNEL_LINKED)/symbols.o $(KERNEL_LIBS)
	@tools/check-linkmap $@.map

$(KERNEL_IMAGE): $(KERNEL_LINKED)/second
	@objcopy -O binary --only-section=.data $< $(KERNEL_LINKED)/data.bin
	@objcopy -O binary --only-section=.nicdata $< $(KERNEL_LINKED)/nicdata.bin
	@objcopy --strip-all --remove-section=.comment \
		--update-section .pristine=$(KERNEL_LINKED)/data.bin \
		--update-section .nicpristine=$(KERNEL_LINKED)/nicdata.bin $< $@
	@echo "  $@: $$(stat -c %s $@) bytes"

# All drivers in one image, for those that link only; and what each adds, for tools/nic-table.
.PHONY: kernel-all-nics nic-sizes
kernel-all-nics:
	$(MAKE) --no-print-directory kernel NICS=all KERNEL_LINKED=$(BUILD)/kernel-all-nics \
		NICS_STAMP=$(BUILD)/kernel-all-nics/nics KERNEL_IMAGE=$(BUILD)/kernel-all-nics/ferry-net
nic-sizes: $(KERNEL_OBJS) $(KERNEL_LINKED)/symbols-none.o $(DPDK_OUT)/libeal.a
	@for n in none $(NICS_ALL); do \
		$(MAKE) --no-print-directory nic-size NICS=$$n; \
	done > $(BUILD)/nic-sizes.part
	@mv $(BUILD)/nic-sizes.part $(BUILD)/nic-sizes
.PHONY: nic-size
nic-size: $(DPDK_NIC_OBJECTS)
	@ld $(KERNEL_LDFLAGS) -o $(BUILD)/nic-size.elf $(KERNEL_OBJS) $(KERNEL_LINKED)/symbols-none.o \
		--start-group $(DPDK_NIC_OBJECTS) $(patsubst %,$(DPDK_ARCHIVES)/%.a,$(sort \
		$(DPDK_NIC_LIBRARIES) $(DPDK_LIBRARIES))) $(DPDK_OUT)/libeal.a --end-group $(PCAP_ARCHIVE) $(LIBC_LIBS)
	@echo "$(or $(strip $(NICS)),none) $$(size $(BUILD)/nic-size.elf | awk 'NR == 2 { print $$1 + $$2 }')"

-include $(KERNEL_OBJS:.o=.d)
