# SPDX-License-Identifier: BSD-2-Clause
# build/linux-init, the first process of the Linux driver domains that `ferry image linux` makes, build/linux-vif, which puts vifs into
# bridges, and build/linux-block, which serves disks in them: `make linux-init`. They are static, as nothing may be missing for them.
# LINUX_INIT_CC=clang LINUX_INIT_BUILD= build elsewhere.

LINUX_INIT_CC ?= gcc
LINUX_INIT_BUILD ?= $(BUILD)/linux

LINUX_INIT_CFLAGS := -std=gnu11 -Os -g -D_GNU_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -ffile-prefix-map=$(CURDIR)=. \
	-ffunction-sections -fdata-sections -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -iquote domain-linux -Iinclude
LINUX_INIT_LDFLAGS := -static -s -Wl,--gc-sections -Wl,-z,relro -Wl,-z,noexecstack -Wl,--build-id=none
linux-init-objects := $(patsubst %,$(LINUX_INIT_BUILD)/%.o,$(wildcard domain-linux/*.c))
linux-block-objects := $(patsubst %,$(LINUX_INIT_BUILD)/%.o,$(wildcard domain-linux/block/*.c))
linux-vif-objects := $(patsubst %,$(LINUX_INIT_BUILD)/%.o,$(wildcard domain-linux/vif/*.c) domain-linux/net.c domain-linux/block/nodes.c)
LINUX_VIF_LIBS := -lxenstore -lxentoolcore
LINUX_BLOCK_LIBS := -lxenstore -lxenevtchn -lxengnttab -lxentoolcore -lxentoollog -pthread

.PHONY: linux-init linux-init-clang
linux-init: $(BUILD)/linux-init $(BUILD)/linux-block $(BUILD)/linux-vif
linux-init-clang:
	$(MAKE) --no-print-directory LINUX_INIT_CC=clang LINUX_INIT_BUILD=$(BUILD)/linux-clang $(BUILD)/linux-clang/linux-init \
		$(BUILD)/linux-clang/linux-block $(BUILD)/linux-clang/linux-vif

control: linux-init
control-clang: linux-init-clang

$(LINUX_INIT_BUILD)/%.c.o: %.c mk/linux.mk
	@mkdir -p $(@D)
	@echo "  $(LINUX_INIT_CC) $<"
	@$(LINUX_INIT_CC) $(LINUX_INIT_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/linux-init $(LINUX_INIT_BUILD)/linux-init: $(linux-init-objects)
	@mkdir -p $(@D)
	@echo "  link $@"
	@$(LINUX_INIT_CC) $(LINUX_INIT_LDFLAGS) -o $@ $^

$(BUILD)/linux-block $(LINUX_INIT_BUILD)/linux-block: $(linux-block-objects)
	@mkdir -p $(@D)
	@echo "  link $@"
	@$(LINUX_INIT_CC) $(LINUX_INIT_LDFLAGS) -o $@ $^ $(LINUX_BLOCK_LIBS)

$(BUILD)/linux-vif $(LINUX_INIT_BUILD)/linux-vif: $(linux-vif-objects)
	@mkdir -p $(@D)
	@echo "  link $@"
	@$(LINUX_INIT_CC) $(LINUX_INIT_LDFLAGS) -o $@ $^ $(LINUX_VIF_LIBS)

-include $(linux-vif-objects:.o=.d) $(linux-init-objects:.o=.d) $(linux-block-objects:.o=.d)
