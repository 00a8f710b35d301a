# SPDX-License-Identifier: BSD-2-Clause
# The hostile guest, build/hostile-guest: Ferry's platform rooms under a frontend that misbehaves
# (tests/hostile). Nothing of DPDK is in it. HOSTILE_CC=clang HOSTILE_BUILD= builds elsewhere.

HOSTILE_CC ?= gcc
HOSTILE_BUILD ?= $(BUILD)/hostile
HOSTILE_IMAGE ?= $(BUILD)/hostile-guest

HOSTILE_CFLAGS := $(PLATFORM_CFLAGS) -Itests/hostile

HOSTILE_C := $(wildcard tests/hostile/*.c domain/pv/*.c domain/libc/*.c) \
	$(filter-out domain/xen/pcifront%,$(wildcard domain/xen/*.c))
HOSTILE_S := $(wildcard domain/arch/x86/*.S)
HOSTILE_OBJS := $(patsubst %,$(HOSTILE_BUILD)/%.o,$(HOSTILE_C) $(HOSTILE_S))
HOSTILE_LINK = ld $(KERNEL_LDFLAGS) -Map $@.map -o $@ $(HOSTILE_OBJS)
HOSTILE_LIBC ?= /usr/lib/x86_64-linux-musl/libc.a

.PHONY: hostile hostile-clang
hostile: $(HOSTILE_IMAGE)
hostile-clang:
	$(MAKE) --no-print-directory hostile HOSTILE_CC=clang HOSTILE_BUILD=$(BUILD)/hostile-clang \
		HOSTILE_IMAGE=$(BUILD)/hostile-clang/hostile-guest

$(HOSTILE_BUILD)/%.c.o: %.c mk/hostile.mk VERSION
	@mkdir -p $(@D)
	@echo "  $(HOSTILE_CC) $<"
	@$(HOSTILE_CC) $(HOSTILE_CFLAGS) -MMD -MP -c -o $@ $<

$(HOSTILE_BUILD)/%.S.o: %.S mk/hostile.mk VERSION
	@mkdir -p $(@D)
	@echo "  $(HOSTILE_CC) $<"
	@$(HOSTILE_CC) $(HOSTILE_CFLAGS) -Wa,--noexecstack -D__ASSEMBLY__ -MMD -MP -c -o $@ $<

$(HOSTILE_BUILD)/symbols-none.S: tools/mksymbols
	@mkdir -p $(@D)
	@tools/mksymbols nm > $@

$(HOSTILE_BUILD)/symbols.S: $(HOSTILE_BUILD)/first
	@tools/mksymbols nm $< > $@

$(HOSTILE_BUILD)/symbols-none.o $(HOSTILE_BUILD)/symbols.o: %.o: %.S
	@$(HOSTILE_CC) -c -o $@ $<

$(HOSTILE_BUILD)/first: $(HOSTILE_OBJS) $(HOSTILE_BUILD)/symbols-none.o $(KERNEL_LDS)
	@$(HOSTILE_LINK) $(HOSTILE_BUILD)/symbols-none.o $(HOSTILE_LIBC)

$(HOSTILE_BUILD)/second: $(HOSTILE_BUILD)/first $(HOSTILE_BUILD)/symbols.o
	@$(HOSTILE_LINK) $(HOSTILE_BUILD)/symbols.o $(HOSTILE_LIBC)

$(HOSTILE_IMAGE): $(HOSTILE_BUILD)/second
	@objcopy -O binary --only-section=.data $< $(HOSTILE_BUILD)/data.bin
	@objcopy --strip-all --remove-section=.comment \
		--update-section .pristine=$(HOSTILE_BUILD)/data.bin $< $@
	@echo "  $@: $$(stat -c %s $@) bytes"

-include $(HOSTILE_OBJS:.o=.d)

# The evil driver domain, build/evil-domain (tests/evil): the same rooms and pcifront, under a kernel that attacks
# from where Ferry's kernel stands. It shares the hostile guest's objects.
EVIL_IMAGE ?= $(BUILD)/evil-domain
EVIL_BUILD := $(HOSTILE_BUILD)/evil
EVIL_C := $(wildcard tests/evil/*.c) tests/hostile/host.c tests/hostile/wait.c \
	$(wildcard domain/pv/*.c domain/libc/*.c domain/xen/*.c)
EVIL_OBJS := $(patsubst %,$(HOSTILE_BUILD)/%.o,$(EVIL_C) $(HOSTILE_S))
EVIL_LINK = ld $(KERNEL_LDFLAGS) -Map $@.map -o $@ $(EVIL_OBJS)

.PHONY: evil
evil: $(EVIL_IMAGE)

$(EVIL_BUILD)/symbols-none.S: tools/mksymbols
	@mkdir -p $(@D)
	@tools/mksymbols nm > $@

$(EVIL_BUILD)/symbols.S: $(EVIL_BUILD)/first
	@tools/mksymbols nm $< > $@

$(EVIL_BUILD)/symbols-none.o $(EVIL_BUILD)/symbols.o: %.o: %.S
	@$(HOSTILE_CC) -c -o $@ $<

$(EVIL_BUILD)/first: $(EVIL_OBJS) $(EVIL_BUILD)/symbols-none.o $(KERNEL_LDS)
	@$(EVIL_LINK) $(EVIL_BUILD)/symbols-none.o $(HOSTILE_LIBC)

$(EVIL_BUILD)/second: $(EVIL_BUILD)/first $(EVIL_BUILD)/symbols.o
	@$(EVIL_LINK) $(EVIL_BUILD)/symbols.o $(HOSTILE_LIBC)

$(EVIL_IMAGE): $(EVIL_BUILD)/second
	@objcopy -O binary --only-section=.data $< $(EVIL_BUILD)/data.bin
	@objcopy --strip-all --remove-section=.comment \
		--update-section .pristine=$(EVIL_BUILD)/data.bin $< $@
	@echo "  $@: $$(stat -c %s $@) bytes"

-include $(EVIL_OBJS:.o=.d)
