# SPDX-License-Identifier: BSD-2-Clause
# Fuzzing of what reads hostile bytes: one program per tests/fuzz/fuzz_*.c, by clang's libFuzzer under
# ASan and UBSan. What each is made of stands in tests/fuzz/Makefile.inc, which says how to add one.
#
#   make fuzz MINUTES=60     all targets, each its share of an hour; FUZZ_ONLY=fuzz_x for one
#   make fuzz-short          the same inputs each time, a few seconds for each target; part of `make check`
#   make fuzz-coverage       what all of them reach of the sources, folder by folder, and the functions that none does
#
# Inputs found on the way are kept in build/fuzz/corpus/, what made a target fail in build/fuzz/failures/.

MINUTES ?= 10
FUZZ_RUNS ?= 12000
FUZZ_CC ?= clang
FUZZ_OUT := $(BUILD)/fuzz
FUZZ_COVERAGE_OUT := $(BUILD)/fuzz-coverage
FUZZ_PLAIN_CFLAGS := -std=gnu11 -g -O1 -Wall -Wextra -Werror -fno-omit-frame-pointer -DFERRY_HOST_TEST=1 \
	-Idomain -Iinclude -Itests/fuzz -Itests/unit
FUZZ_CFLAGS := $(FUZZ_PLAIN_CFLAGS) -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
# Without the sanitizers: what is reached is the same, in half the time.
FUZZ_COVERAGE_CFLAGS := $(FUZZ_PLAIN_CFLAGS) -fsanitize=fuzzer -fprofile-instr-generate -fcoverage-mapping

fuzz-targets :=
include tests/fuzz/Makefile.inc

FUZZ_PROGRAMS := $(patsubst %,$(FUZZ_OUT)/%,$(or $(FUZZ_ONLY),$(fuzz-targets)))
FUZZ_COVERAGE_PROGRAMS := $(patsubst $(FUZZ_OUT)/%,$(FUZZ_COVERAGE_OUT)/%,$(FUZZ_PROGRAMS))

# As in unit.mk, sources are compiled once for all targets that compile them alike.
fuzz-kind = $(if $($(1)-dpdk),dpdk,plain)-$(firstword $(shell echo '$(strip $($(1)-cflags))' | cksum))
$(foreach t,$(fuzz-targets),$(eval $(t)-kind := $(call fuzz-kind,$(t))))
$(foreach t,$(fuzz-targets),$(eval fuzz-flags-$($(t)-kind) := $(if $($(t)-dpdk),$(UNIT_DPDK_CFLAGS)) $($(t)-cflags)))
fuzz-kinds := $(sort $(foreach t,$(fuzz-targets),$($(t)-kind)))
fuzz-objects = $(patsubst %.c,$(1)/$($(2)-kind)/%.o,tests/fuzz/$(2).c $(sort $($(2)-sources)))

# $(1) where to, $(2) kind, $(3) flags
define fuzz-object-rule
$(1)/$(2)/%.o: %.c mk/fuzz.mk tests/fuzz/Makefile.inc
	@mkdir -p $$(@D)
	@$(FUZZ_CC) $(3) $(fuzz-flags-$(2)) -MMD -MP -c -o $$@ $$<
endef
# $(1) target, $(2) where to, $(3) flags
define fuzz-rule
$(2)/$(1): $(call fuzz-objects,$(2),$(1))
	@echo "  $$(@F)"
	@$(FUZZ_CC) $(3) -o $$@ $$^ $($(1)-ldlibs) $(if $($(1)-dpdk),$(UNIT_DPDK_LIBS))
endef
$(foreach k,$(fuzz-kinds),$(eval $(call fuzz-object-rule,$(FUZZ_OUT),$(k),$(FUZZ_CFLAGS))))
$(foreach k,$(fuzz-kinds),$(eval $(call fuzz-object-rule,$(FUZZ_COVERAGE_OUT),$(k),$(FUZZ_COVERAGE_CFLAGS))))
$(foreach t,$(fuzz-targets),$(eval $(call fuzz-rule,$(t),$(FUZZ_OUT),$(FUZZ_CFLAGS))))
$(foreach t,$(fuzz-targets),$(eval $(call fuzz-rule,$(t),$(FUZZ_COVERAGE_OUT),$(FUZZ_COVERAGE_CFLAGS))))

-include $(patsubst %.o,%.d,$(foreach t,$(fuzz-targets),$(foreach w,$(FUZZ_OUT) $(FUZZ_COVERAGE_OUT),$(call fuzz-objects,$(w),$(t)))))

# A target that does not build is one failure; the others still run (hence -k).
.PHONY: fuzz fuzz-short fuzz-programs fuzz-coverage
fuzz-programs: $(FUZZ_PROGRAMS)
fuzz:
	-@$(MAKE) -k --no-print-directory fuzz-programs
	@tools/fuzz-run --minutes $(MINUTES) $(FUZZ_PROGRAMS)
fuzz-short:
	-@$(MAKE) -k --no-print-directory fuzz-programs
	@tools/fuzz-run --runs $(FUZZ_RUNS) $(FUZZ_PROGRAMS)
fuzz-coverage: $(FUZZ_COVERAGE_PROGRAMS)
	@tools/fuzz-coverage --runs $(FUZZ_RUNS) $(FUZZ_COVERAGE_PROGRAMS)
