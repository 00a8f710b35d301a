# SPDX-License-Identifier: BSD-2-Clause
# What tools/check-shared-loads runs: tests of domain/vif, on the host, around the very objects of domain/vif that the
# kernel's image is made of, with every access to a shared ring written down (tests/shared/watch.c).

SHARED_TESTS := test_vif_tx test_vif_rx test_vif_ctrl test_vif_resume test_vif_queues
SHARED_OUT := $(BUILD)/shared
SHARED_OBJECTS := $(patsubst %,$(BUILD)/kernel/%.o,$(wildcard domain/vif/*.c))
SHARED_HOST := $(filter-out $(wildcard domain/vif/*.c),$(vif-fake)) tests/unit/fixture_vif_tx.c tests/shared/watch.c
SHARED_HOST_OBJECTS := $(patsubst %.c,$(SHARED_OUT)/%.o,$(SHARED_HOST))
SHARED_WRAPPED := aligned_alloc free gnttab_map gnttab_unmap gnttab_resume fake_store_step vif_receive_all \
	vif_flush_all vif_arm_all
SHARED_CFLAGS := -std=gnu11 -O1 -g -fno-pie -Wall -Wextra -Werror -Idomain -Iinclude -Itests/unit \
	$(UNIT_DPDK_CFLAGS) $(xen-define)
# The kernel's objects are not position-independent.
SHARED_LINK = gcc -no-pie $(patsubst %,-Wl$(comma)--wrap=%,$(SHARED_WRAPPED))
SHARED_LIBS = $(UNIT_DPDK_LIBS) -lcmocka
comma := ,

$(SHARED_OUT)/%.o: %.c mk/shared.mk
	@mkdir -p $(@D)
	@gcc $(SHARED_CFLAGS) -MMD -MP -c -o $@ $<

$(addprefix $(SHARED_OUT)/,$(SHARED_TESTS)): $(SHARED_OUT)/%: $(SHARED_OUT)/tests/unit/%.o $(SHARED_HOST_OBJECTS) $(SHARED_OBJECTS)
	@$(SHARED_LINK) -o $@ $^ $(SHARED_LIBS)

.PHONY: shared-loads shared-mutant
shared-loads: $(addprefix $(SHARED_OUT)/,$(SHARED_TESTS))

# SHARED_TEST= with the object of one source of domain/vif made from SHARED_MUTANT= instead.
shared-mutant:
	@gcc $(KERNEL_CFLAGS) -c -o $(SHARED_OUT)/mutant/mutant.o $(SHARED_MUTANT)
	@$(SHARED_LINK) -o $(SHARED_OUT)/mutant/$(SHARED_TEST) $(SHARED_OUT)/tests/unit/$(SHARED_TEST).o \
		$(SHARED_HOST_OBJECTS) $(SHARED_OUT)/mutant/mutant.o \
		$(filter-out %/domain/vif/$(notdir $(SHARED_MUTANT)).o,$(SHARED_OBJECTS)) $(SHARED_LIBS)

-include $(SHARED_HOST_OBJECTS:.o=.d)
