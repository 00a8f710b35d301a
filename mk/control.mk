# SPDX-License-Identifier: BSD-2-Clause
# The dom0 tools, build/ferry, build/ferryd, build/ferry-extcap and build/ferry-linux-image, on Debian's libxl: `make control`; mk/paths.mk
# says where they look for things, mk/install.mk puts them in place.
# CONTROL_CC=clang CONTROL_BUILD= build elsewhere.

CONTROL_CC ?= gcc
CONTROL_BUILD ?= $(BUILD)/control
# Where control-faults puts its second build, and what it is made with.
CONTROL_FAULTS ?=

CONTROL_CFLAGS := -std=gnu11 -O2 -g -D_GNU_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong \
	-ffile-prefix-map=$(CURDIR)=. -fPIE -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes \
	-DFERRY_VERSION='"$(shell cat VERSION)"' -iquote control -Iinclude $(PATHS_CFLAGS) \
	$(if $(CONTROL_FAULTS),-DFERRY_FAULTS)
CONTROL_LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,--as-needed
CONTROL_LIBS := -lxlutil -lxenlight -lxenctrl -lxenforeignmemory -lxengnttab -lxencall -lxenstore -lxentoollog \
	-lyajl
ferry-libs := -lncursesw -ltinfo -lpcap
ferry-extcap-libs := -lpcap
ferry-linux-image-libs := -larchive -lkmod

CONTROL_PROGRAMS := ferry ferryd ferry-extcap ferry-linux-image
CONTROL_SHARED := $(filter-out control/util/faultpoint.c,$(wildcard $(foreach \
	room,util image journal xen config check recover,control/$(room)/*.c))) \
	common/address.c common/vlan.c $(wildcard common/policy*.c)
control-faultpoint := $(if $(CONTROL_FAULTS),control/util/faultpoint.c)
ferry-objects := $(patsubst %,$(CONTROL_BUILD)/%.o,$(wildcard control/cli/*.c) $(CONTROL_SHARED) $(control-faultpoint))
ferryd-objects := $(patsubst %,$(CONTROL_BUILD)/%.o,$(wildcard control/supervise/*.c) $(CONTROL_SHARED) \
	$(control-faultpoint))
ferry-extcap-objects := $(patsubst %,$(CONTROL_BUILD)/%.o,$(wildcard control/extcap/*.c) control/util/files.c \
	control/util/log.c control/util/option.c)
ferry-linux-image-objects := $(patsubst %,$(CONTROL_BUILD)/%.o,$(wildcard control/linux/*.c) control/util/bdf.c \
	control/util/files.c control/util/log.c)

.PHONY: control control-gcc control-clang control-faults
control: $(CONTROL_PROGRAMS:%=$(BUILD)/%)
control-gcc: control
control-clang:
	$(MAKE) --no-print-directory CONTROL_CC=clang CONTROL_BUILD=$(BUILD)/control-clang \
		$(CONTROL_PROGRAMS:%=$(BUILD)/control-clang/%)

# build/ferry-faults and build/ferryd-faults die where they are told to (control/util/faultpoint.h): for scenarios only.
control-faults:
	$(MAKE) --no-print-directory CONTROL_FAULTS=1 CONTROL_BUILD=$(BUILD)/control-faults \
		$(BUILD)/control-faults/ferry $(BUILD)/control-faults/ferryd
	@for program in ferry ferryd; do cp $(BUILD)/control-faults/$$program $(BUILD)/$$program-faults; done

# `make check` builds them with the rest: by gcc for the scenarios, by clang for its warnings.
test-images: control control-faults
kernel-clang: control-clang

# Changes when a path does.
$(CONTROL_BUILD)/paths: FORCE
	@mkdir -p $(@D)
	@echo "$(PATHS_CFLAGS)" | cmp -s - $@ || echo "$(PATHS_CFLAGS)" > $@

$(CONTROL_BUILD)/%.c.o: %.c mk/control.mk VERSION $(CONTROL_BUILD)/paths
	@mkdir -p $(@D)
	@echo "  $(CONTROL_CC) $<"
	@$(CONTROL_CC) $(CONTROL_CFLAGS) -MMD -MP -c -o $@ $<

define control-program-rule
$(BUILD)/$(1) $(CONTROL_BUILD)/$(1): $$($(1)-objects)
	@mkdir -p $$(@D)
	@echo "  link $$@"
	@$(CONTROL_CC) $(CONTROL_LDFLAGS) -o $$@ $$^ $(CONTROL_LIBS) $$($(1)-libs)
endef
$(foreach p,$(CONTROL_PROGRAMS),$(eval $(call control-program-rule,$(p))))

-include $(sort $(ferry-objects:.o=.d) $(ferryd-objects:.o=.d) $(ferry-extcap-objects:.o=.d) \
	$(ferry-linux-image-objects:.o=.d))
