# SPDX-License-Identifier: BSD-2-Clause
# The dom0 tools, build/ferry and build/ferryd, on Debian's libxl: `make control`, `make install-control`.
# CONTROL_CC=clang CONTROL_BUILD= build elsewhere.

CONTROL_CC ?= gcc
CONTROL_BUILD ?= $(BUILD)/control
# Where control-faults puts its second build, and what it is made with.
CONTROL_FAULTS ?=
DESTDIR ?=

CONTROL_CFLAGS := -std=gnu11 -O2 -g -D_GNU_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong \
	-fPIE -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes \
	-DFERRY_VERSION='"$(shell cat VERSION)"' -Icontrol -Iinclude \
	$(if $(CONTROL_FAULTS),-DFERRY_FAULTS)
CONTROL_LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,--as-needed
CONTROL_LIBS := -lxlutil -lxenlight -lxenctrl -lxenforeignmemory -lxencall -lxenstore -lxentoollog \
	-lyajl

CONTROL_PROGRAMS := ferry ferryd
CONTROL_SHARED := $(filter-out control/ferry.c control/ferryd.c control/command_%.c control/ward%.c \
	control/faultpoint.c,$(wildcard control/*.c)) common/address.c common/vlan.c $(wildcard common/policy*.c)
ferry-objects := $(patsubst %,$(CONTROL_BUILD)/%.o,control/ferry.c $(wildcard control/command_*.c) \
	$(CONTROL_SHARED))
ferryd-objects := $(patsubst %,$(CONTROL_BUILD)/%.o,control/ferryd.c $(wildcard control/ward*.c) \
	$(CONTROL_SHARED) $(if $(CONTROL_FAULTS),control/faultpoint.c))

.PHONY: control control-gcc control-clang control-faults install-control
control: $(CONTROL_PROGRAMS:%=$(BUILD)/%)
control-gcc: control
control-clang:
	$(MAKE) --no-print-directory CONTROL_CC=clang CONTROL_BUILD=$(BUILD)/control-clang \
		$(CONTROL_PROGRAMS:%=$(BUILD)/control-clang/%)

# build/ferryd-faults dies where it is told to (control/faultpoint.h): for scenarios only.
control-faults:
	$(MAKE) --no-print-directory CONTROL_FAULTS=1 CONTROL_BUILD=$(BUILD)/control-faults \
		$(BUILD)/control-faults/ferryd
	@cp $(BUILD)/control-faults/ferryd $(BUILD)/ferryd-faults

# `make check` builds them with the rest: by gcc for the scenarios, by clang for its warnings.
test-images: control control-faults
kernel-clang: control-clang

$(CONTROL_BUILD)/%.c.o: %.c mk/control.mk VERSION
	@mkdir -p $(@D)
	@echo "  $(CONTROL_CC) $<"
	@$(CONTROL_CC) $(CONTROL_CFLAGS) -MMD -MP -c -o $@ $<

define control-program-rule
$(BUILD)/$(1) $(CONTROL_BUILD)/$(1): $$($(1)-objects)
	@echo "  link $$@"
	@$(CONTROL_CC) $(CONTROL_LDFLAGS) -o $$@ $$^ $(CONTROL_LIBS)
endef
$(foreach p,$(CONTROL_PROGRAMS),$(eval $(call control-program-rule,$(p))))

install-control: control
	install -D -m 755 -t $(DESTDIR)/usr/sbin $(CONTROL_PROGRAMS:%=$(BUILD)/%)
	install -D -m 644 -t $(DESTDIR)/usr/share/man/man8 docs/man/ferry.8 docs/man/ferryd.8
	install -D -m 644 -t $(DESTDIR)/lib/systemd/system control/ferryd.service
	install -D -m 644 control/ferry.bash-completion \
		$(DESTDIR)/usr/share/bash-completion/completions/ferry

-include $(sort $(ferry-objects:.o=.d) $(ferryd-objects:.o=.d))
