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

FUZZ_HEADERS := $(wildcard domain/*/*.h domain-linux/*.h domain-linux/*/*.h control/*/*.h include/*/*.h common/*.h tests/fuzz/*.h tests/unit/*.h)
FUZZ_PROGRAMS := $(patsubst %,$(FUZZ_OUT)/%,$(or $(FUZZ_ONLY),$(fuzz-targets)))
FUZZ_COVERAGE_PROGRAMS := $(patsubst $(FUZZ_OUT)/%,$(FUZZ_COVERAGE_OUT)/%,$(FUZZ_PROGRAMS))

# $(1) target, $(2) where to, $(3) flags
define fuzz-rule
$(2)/$(1): tests/fuzz/$(1).c $($(1)-sources) $(FUZZ_HEADERS) mk/fuzz.mk tests/fuzz/Makefile.inc
	@mkdir -p $$(@D)
	@echo "  $$(@F)"
	@$(FUZZ_CC) $(3) $(if $($(1)-dpdk),$(UNIT_DPDK_CFLAGS)) $($(1)-cflags) -o $$@ \
		tests/fuzz/$(1).c $($(1)-sources) $($(1)-ldlibs) $(if $($(1)-dpdk),$(UNIT_DPDK_LIBS))
endef
$(foreach t,$(fuzz-targets),$(eval $(call fuzz-rule,$(t),$(FUZZ_OUT),$(FUZZ_CFLAGS))))
$(foreach t,$(fuzz-targets),$(eval $(call fuzz-rule,$(t),$(FUZZ_COVERAGE_OUT),$(FUZZ_COVERAGE_CFLAGS))))

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
