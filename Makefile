# SPDX-License-Identifier: BSD-2-Clause
# Ferry. `make help` lists what there is to make; the order of things is in tools/.

MAKEFLAGS += --no-builtin-rules
BUILD := build

.DEFAULT_GOAL := help
.PHONY: help setup demo bench check check-long check-systemd lab kernel kernel-gcc kernel-clang unit format clean

help:
	@echo 'Ferry: driver domains for Xen'
	@echo
	@echo '  make demo     everything: packages, kernel, lab, and one NIC served to a guest'
	@echo '  make check    everything that must hold, with one last line: N passed, N failed'
	@echo '  make check-long   every scenario of the lab to its full length, FERRY_LONG=1: two to three hours'
	@echo '  make bench    measure Ferry, a Linux driver domain, netback in dom0 and a guest with a NIC of its own, ROUNDS=3;'
	@echo '                SHORT=1 takes about 2 minutes; the page is build/bench/index.html'
	@echo '  make kernel   build/ferry-net, the kernel of the driver domain (NICS=... chooses drivers)'
	@echo '  make control  build/ferry and build/ferryd, the tools for dom0'
	@echo '  make images   build/images/: a kernel for each NIC driver, one with all, and their source lines'
	@echo '  make install  tools, kernels and manuals in place, PREFIX=/usr/local DESTDIR= (mk/paths.mk)'
	@echo '  make deb      Debian packages, build/deb/*.deb, and what making them needs (root, if that is not there)'
	@echo '  make check-systemd   those packages in a dom0 with systemd: install, upgrade, reboot, libvirt'
	@echo '  make unit     the host tests of the pure parts, with gcc and clang, under ASan and UBSan'
	@echo '  make fuzz     libFuzzer on everything that reads hostile bytes, MINUTES=10 in all'
	@echo '  make fuzz-coverage   what the fuzzing targets reach of the sources, and what they do not'
	@echo '  make lab      a shell in the dom0 of a real Xen in QEMU, with everything in place'
	@echo '  make format   lay out the C sources by .clang-format'
	@echo '  make setup    install the Debian packages that the rest needs (root)'
	@echo '  make clean    remove build/'

include mk/paths.mk
include mk/unit.mk
include mk/fuzz.mk
include mk/kernel.mk
include mk/shared.mk
include mk/hostile.mk
include mk/control.mk
include mk/linux.mk
include mk/install.mk

setup:
	@tools/setup

demo: setup
	$(MAKE) kernel control
	lab/lab build
	bench/demo.py

bench: setup
	$(MAKE) kernel
	bench/bench.py $(if $(SHORT),--short) $(or $(ROUNDS),$(if $(SHORT),1,3)) $(SECONDS)

check:
	@tools/check

check-long: setup
	$(MAKE) kernel control test-images
	lab/lab build
	tests/run-system --long

check-systemd: setup
	$(MAKE) deb control
	tests/run-system systemd_units systemd_packages systemd_reboot systemd_libvirt

lab: setup
	$(MAKE) kernel
	lab/lab shell

format:
	tools/check-format --fix

clean:
	rm -rf $(BUILD)
