# SPDX-License-Identifier: BSD-2-Clause
# Host tests of the pure parts: one program per tests/unit/test_*.c, built by gcc and by clang
# under ASan and UBSan. What each is made of stands in tests/unit/Makefile.inc.

UNIT_COMPILERS ?= gcc clang
UNIT_DPDK_LIBS := -Wl,--no-as-needed -lrte_mempool_ring -Wl,--as-needed \
	-lrte_mempool -lrte_mbuf -lrte_net -lrte_gso -lrte_hash -lrte_ip_frag -lrte_ring -lrte_eal
UNIT_DPDK_CFLAGS := -isystem /usr/include/dpdk -isystem /usr/include/x86_64-linux-gnu/dpdk \
	-include rte_config.h -march=corei7
UNIT_CFLAGS := -std=gnu11 -g -O1 -Wall -Wextra -Werror -fno-omit-frame-pointer \
	-fsanitize=address,undefined -fno-sanitize-recover=all -DFERRY_HOST_TEST=1 -Idomain -Iinclude -Itests/unit

unit-tests :=
include tests/unit/Makefile.inc

UNIT_PROGRAMS := $(foreach c,$(UNIT_COMPILERS),$(patsubst %,$(BUILD)/unit/$(c)/%,$(unit-tests)))

# Sources are compiled once for all tests that compile them alike: a kind is DPDK or not, and the extra flags.
unit-kind = $(if $($(1)-dpdk),dpdk,plain)-$(firstword $(shell echo '$(strip $($(1)-cflags))' | cksum))
$(foreach t,$(unit-tests),$(eval $(t)-kind := $(call unit-kind,$(t))))
$(foreach t,$(unit-tests),$(eval unit-flags-$($(t)-kind) := $(if $($(t)-dpdk),$(UNIT_DPDK_CFLAGS)) $($(t)-cflags)))
unit-kinds := $(sort $(foreach t,$(unit-tests),$($(t)-kind)))
unit-objects = $(patsubst %.c,$(BUILD)/unit/$(1)/$($(2)-kind)/%.o,$(sort $($(2)-sources)) tests/unit/$(2).c)

# $(1) compiler, $(2) kind
define unit-object-rule
$(BUILD)/unit/$(1)/$(2)/%.o: %.c mk/unit.mk
	@mkdir -p $$(@D)
	@$(1) $(UNIT_CFLAGS) $(unit-flags-$(2)) -MMD -MP -c -o $$@ $$<
endef
$(foreach c,$(UNIT_COMPILERS),$(foreach k,$(unit-kinds),$(eval $(call unit-object-rule,$(c),$(k)))))

# $(1) compiler, $(2) test
define unit-rule
$(BUILD)/unit/$(1)/$(2): $(call unit-objects,$(1),$(2))
	@echo "  $(1) $(2)"
	@$(1) $(UNIT_CFLAGS) -o $$@ $(call unit-objects,$(1),$(2)) $($(2)-ldlibs) \
		$(if $($(2)-dpdk),$(UNIT_DPDK_LIBS)) -lcmocka
endef
$(foreach c,$(UNIT_COMPILERS),$(foreach t,$(unit-tests),$(eval $(call unit-rule,$(c),$(t)))))

-include $(foreach c,$(UNIT_COMPILERS),$(foreach t,$(unit-tests),$(patsubst %.o,%.d,$(call unit-objects,$(c),$(t)))))

# A test that does not build is one failure; the others still run (hence -k).
.PHONY: unit unit-programs
unit-programs: $(UNIT_PROGRAMS)
unit:
	-@$(MAKE) -k --no-print-directory unit-programs
	@tools/unit-run $(UNIT_PROGRAMS)
