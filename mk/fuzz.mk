# SPDX-License-Identifier: BSD-2-Clause
# Fuzzing of what reads hostile bytes: one program per tests/fuzz/fuzz_*.c, by clang's libFuzzer under
# ASan and UBSan. What each is made of stands in tests/fuzz/Makefile.inc, which says how to add one.
#
#   make fuzz MINUTES=60     all targets, each its share of an hour; FUZZ_ONLY=fuzz_x for one
#   make fuzz-short          the same inputs each time, a few seconds for each target; part of `make check`
#
# Inputs found on the way are kept in build/fuzz/corpus/, what made a target fail in build/fuzz/failures/.

MINUTES ?= 10
FUZZ_RUNS ?= 12000
FUZZ_CC ?= clang
FUZZ_OUT := $(BUILD)/fuzz
FUZZ_CFLAGS := -std=gnu11 -g -O1 -Wall -Wextra -Werror -fno-omit-frame-pointer \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -DFERRY_HOST_TEST=1 \
	-Idomain -Iinclude -Itests/fuzz -Itests/unit

fuzz-targets :=
include tests/fuzz/Makefile.inc

FUZZ_HEADERS := $(wildcard domain/*/*.h control/*/*.h include/*/*.h common/*.h tests/fuzz/*.h tests/unit/*.h)
FUZZ_PROGRAMS := $(patsubst %,$(FUZZ_OUT)/%,$(or $(FUZZ_ONLY),$(fuzz-targets)))

define fuzz-rule
$(FUZZ_OUT)/$(1): tests/fuzz/$(1).c $($(1)-sources) $(FUZZ_HEADERS) mk/fuzz.mk tests/fuzz/Makefile.inc
	@mkdir -p $$(@D)
	@echo "  fuzz $(1)"
	@$(FUZZ_CC) $(FUZZ_CFLAGS) $(if $($(1)-dpdk),$(UNIT_DPDK_CFLAGS)) $($(1)-cflags) -o $$@ \
		tests/fuzz/$(1).c $($(1)-sources) $($(1)-ldlibs) $(if $($(1)-dpdk),$(UNIT_DPDK_LIBS))
endef
$(foreach t,$(fuzz-targets),$(eval $(call fuzz-rule,$(t))))

# A target that does not build is one failure; the others still run (hence -k).
.PHONY: fuzz fuzz-short fuzz-programs
fuzz-programs: $(FUZZ_PROGRAMS)
fuzz:
	-@$(MAKE) -k --no-print-directory fuzz-programs
	@tools/fuzz-run --minutes $(MINUTES) $(FUZZ_PROGRAMS)
fuzz-short:
	-@$(MAKE) -k --no-print-directory fuzz-programs
	@tools/fuzz-run --runs $(FUZZ_RUNS) $(FUZZ_PROGRAMS)
