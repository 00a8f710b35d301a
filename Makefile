# SPDX-License-Identifier: BSD-2-Clause
# Ferry. `make help` lists what there is to make; the order of things is in tools/.

MAKEFLAGS += --no-builtin-rules
BUILD := build

.DEFAULT_GOAL := help
.PHONY: help setup demo check lab kernel kernel-gcc kernel-clang unit format clean

help:
	@echo 'Ferry: driver domains for Xen'
	@echo
	@echo '  make demo     everything: packages, kernel, lab, and one NIC served to a guest'
	@echo '  make check    everything that must hold, with one last line: N passed, N failed'
	@echo '  make kernel   build/ferry-net, the kernel of the driver domain'
	@echo '  make unit     the host tests of the pure parts, with gcc and clang, under ASan and UBSan'
	@echo '  make lab      a real Xen in QEMU, built from Debian packages'
	@echo '  make format   lay out the C sources by .clang-format'
	@echo '  make setup    install the Debian packages that the rest needs (root)'
	@echo '  make clean    remove build/'

include mk/unit.mk
-include mk/kernel.mk
-include mk/hostile.mk

ifeq ($(wildcard mk/kernel.mk),)
kernel kernel-gcc kernel-clang:
	@echo 'make $@: mk/kernel.mk is missing from this tree' >&2; exit 1
endif

setup:
	@tools/setup

demo: setup
	$(MAKE) kernel
	$(MAKE) lab
	bench/demo.py

check:
	@tools/check

lab:
	lab/lab build

format:
	tools/check-format --fix

clean:
	rm -rf $(BUILD)
