# SPDX-License-Identifier: BSD-2-Clause
# The kernel image, build/ferry-net. Linked twice: the second link carries the function names that
# the first one gave addresses to, and ends with copies of its data that a restart goes back to.
#
# NICS= chooses the drivers (mk/dpdk.mk). KERNEL_CC=clang builds with clang, KERNEL_BUILD= elsewhere.

include mk/dpdk.mk

KERNEL_CC ?= gcc
KERNEL_BUILD ?= $(BUILD)/kernel
KERNEL_IMAGE ?= $(BUILD)/ferry-net
FERRY_VERSION := $(shell cat VERSION)

# For every image that is made of the platform rooms; the hostile guest is another (mk/hostile.mk).
PLATFORM_CFLAGS := -std=gnu11 -O2 -g -march=corei7 -fno-pic -fno-pie -mcmodel=small -mno-red-zone \
	-fno-strict-aliasing -fno-common -fno-asynchronous-unwind-tables -fstack-protector-strong \
	-ffunction-sections -fdata-sections -ftls-model=local-exec -U_FORTIFY_SOURCE \
	-Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes \
	-D__XEN_INTERFACE_VERSION__=__XEN_LATEST_INTERFACE_VERSION__ \
	-DFERRY_VERSION='"$(FERRY_VERSION)"' -Idomain -Iinclude
KERNEL_CFLAGS := $(PLATFORM_CFLAGS) $(DPDK_CFLAGS)

# FAULTS=1: an image that dies on request, for tests (domain/main/fault.h).
ifneq ($(FAULTS),)
KERNEL_CFLAGS += -DFERRY_FAULTS
endif

KERNEL_C := $(wildcard domain/arch/x86/*.c domain/xen/*.c domain/vif/*.c domain/net/*.c \
	domain/main/*.c common/*.c) $(EAL_SRCS) $(LIBC_SRCS)
KERNEL_S := $(wildcard domain/arch/x86/*.S)
KERNEL_OBJS := $(patsubst %,$(KERNEL_BUILD)/%.o,$(KERNEL_C) $(KERNEL_S))
# What a running NIC depends on: kernels that have all of this in common can take one over.
KERNEL_NIC_PARTS = $(patsubst %,$(KERNEL_BUILD)/%.o,$(EAL_SRCS) $(LIBC_SRCS)) $(DPDK_NIC_OBJECTS) \
	$(DPDK_OUT)/libeal.a $(DPDK_ARCHIVES)/librte_ethdev.a $(DPDK_ARCHIVES)/librte_mbuf.a
KERNEL_LDS := domain/arch/x86/ferry.lds
KERNEL_LDFLAGS := -static -nostdlib --gc-sections -z noexecstack -z max-page-size=4096 \
	--no-warn-rwx-segments --build-id=none -T $(KERNEL_LDS)

.PHONY: kernel kernel-gcc kernel-clang kernel-faults kernel-igc test-images
kernel: $(KERNEL_IMAGE)

# Both compilers' images are checked; gcc's is the one that is shipped.
kernel-gcc:
	$(MAKE) --no-print-directory kernel KERNEL_CC=gcc
kernel-clang:
	$(MAKE) --no-print-directory kernel KERNEL_CC=clang KERNEL_BUILD=$(BUILD)/kernel-clang \
		KERNEL_IMAGE=$(BUILD)/kernel-clang/ferry-net

# What the system scenarios need besides: an image that dies on request, one without a driver for
# the lab's NIC, and the guest that attacks.
test-images: kernel-faults kernel-igc hostile
kernel-igc:
	$(MAKE) --no-print-directory kernel NICS=igc KERNEL_BUILD=$(BUILD)/kernel-igc \
		KERNEL_IMAGE=$(BUILD)/ferry-net-igc
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

$(KERNEL_BUILD)/symbols-none.S: tools/mksymbols
	@mkdir -p $(@D)
	@tools/mksymbols nm > $@

$(KERNEL_BUILD)/symbols.S: $(KERNEL_BUILD)/first
	@tools/mksymbols nm $< $(KERNEL_NIC_PARTS) > $@

$(KERNEL_BUILD)/symbols-none.o $(KERNEL_BUILD)/symbols.o: %.o: %.S
	@$(KERNEL_CC) -c -o $@ $<

KERNEL_LINK = ld $(KERNEL_LDFLAGS) -Map $@.map -o $@ $(KERNEL_OBJS)
KERNEL_LIBS = $(DPDK_LIBS) $(LIBC_LIBS)

$(KERNEL_BUILD)/first: $(KERNEL_OBJS) $(KERNEL_BUILD)/symbols-none.o $(KERNEL_LDS) $(DPDK_BUILT)
	@echo "  link $@"
	@$(KERNEL_LINK) $(KERNEL_BUILD)/symbols-none.o $(KERNEL_LIBS)

$(KERNEL_BUILD)/second: $(KERNEL_BUILD)/first $(KERNEL_BUILD)/symbols.o tools/check-linkmap
	@echo "  link $@"
	@$(KERNEL_LINK) $(KERNEL_BUILD)/symbols.o $(KERNEL_LIBS)
	@tools/check-linkmap $@.map

$(KERNEL_IMAGE): $(KERNEL_BUILD)/second
	@objcopy -O binary --only-section=.data $< $(KERNEL_BUILD)/data.bin
	@objcopy -O binary --only-section=.nicdata $< $(KERNEL_BUILD)/nicdata.bin
	@objcopy --strip-all --remove-section=.comment \
		--update-section .pristine=$(KERNEL_BUILD)/data.bin \
		--update-section .nicpristine=$(KERNEL_BUILD)/nicdata.bin $< $@
	@echo "  $@: $$(stat -c %s $@) bytes"

-include $(KERNEL_OBJS:.o=.d)
