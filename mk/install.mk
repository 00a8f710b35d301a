# SPDX-License-Identifier: BSD-2-Clause
# All images that are shipped, and putting everything in place: `make images`, `make install` (mk/paths.mk has the
# paths), `make uninstall`; `make deb` makes Debian packages of the same (debian/).
#
#   build/images/ferry-net          the drivers that have been run
#   build/images/ferry-net-NIC      one driver each
#   build/images/ferry-net-all      all of them
#   build/images/*.debug            the same with symbols and source lines, for `ferry logs --report`

IMAGES := $(BUILD)/images
IMAGES_NAMES := ferry-net $(NICS_ALL:%=ferry-net-%) ferry-net-all
image-nics = $(if $(filter ferry-net,$(1)),e1000 virtio vmxnet3,$(1:ferry-net-%=%))

.PHONY: images install install-control install-kernels install-debug uninstall deb
images: $(IMAGES_NAMES:%=image-%)

# The first one compiles what all share, and takes all drivers out of DPDK's archives: then any number of links at once.
# $(1) name
define image-rule
.PHONY: image-$(1)
image-$(1): $(if $(filter ferry-net-all,$(1)),,| image-ferry-net-all)
	+@$(MAKE) --no-print-directory kernel NICS='$(call image-nics,$(1))' KERNEL_LINKED=$(IMAGES)/$(1).link \
		NICS_STAMP=$(IMAGES)/$(1).link/nics KERNEL_IMAGE=$(IMAGES)/$(1)
	@cmp -s $(IMAGES)/$(1).link/second $(IMAGES)/$(1).debug || \
		cp $(IMAGES)/$(1).link/second $(IMAGES)/$(1).debug
endef
$(foreach n,$(IMAGES_NAMES),$(eval $(call image-rule,$(n))))

# $(1) mode, $(2) file, $(3) where to; its paths are those of this installation.
define install-text
	@install -d $(dir $(DESTDIR)$(3))
	@$(PATHS_SED) $(if $(filter %.md,$(2)),$(INSTALL_UNLINK)) $(2) > $(DESTDIR)$(3)
	@chmod $(1) $(DESTDIR)$(3)
	@echo '  install $(3)'

endef

INSTALL_MAN := ferry.8 ferryd.8
# As they lie here, so that links hold; what a link leads to that is not installed is then named without it.
INSTALL_DOCS := README.md CHANGELOG.md LICENSE $(wildcard docs/*.md docs/*.svg docs/decisions/*.md)
INSTALL_EXAMPLES := $(wildcard docs/examples/*.* docs/examples/prometheus/*)
INSTALL_UNLINK := -e 's,\[\([^]]*\)\](\(CONTRIBUTING\|lab/README\)\.md),\1 (in the sources),g' -e 's,\[\([^]]*\)\](man/[a-z]*\.8),\1,g'

install: install-control install-kernels install-debug

# The tools alone. A configuration that is there is left as it is.
install-control: control
	install -D -m 755 -t $(DESTDIR)$(SBINDIR) $(BUILD)/ferry $(BUILD)/ferryd
	install -D -m 755 -t $(DESTDIR)$(EXTCAPDIR) $(BUILD)/ferry-extcap
	install -D -m 755 -t $(DESTDIR)$(LIBDIR)/ferry $(BUILD)/ferry-linux-image $(BUILD)/linux-init $(BUILD)/linux-block $(BUILD)/linux-vif
	$(foreach m,$(INSTALL_MAN),$(call install-text,644,docs/man/$(m),$(DATADIR)/man/man8/$(m)))
	$(foreach u,ferryd.service ferry.service,$(call install-text,644,control/init/$(u),$(UNITDIR)/$(u)))
	$(call install-text,644,control/cli/ferry.bash-completion,$(DATADIR)/bash-completion/completions/ferry)
	ln -sfn ferry $(DESTDIR)$(DATADIR)/bash-completion/completions/ferryd
	$(foreach e,$(INSTALL_EXAMPLES),$(call install-text,644,$(e),$(DATADIR)/doc/ferry/$(e:docs/%=%)))
	$(foreach d,$(INSTALL_DOCS),$(call install-text,644,$(d),$(DATADIR)/doc/ferry/$(d)))
	ln -sfn ../examples $(DESTDIR)$(DATADIR)/doc/ferry/docs/examples
	$(call install-text,755,control/init/ferryd.init,$(DATADIR)/doc/ferry/examples/ferryd.init)
	$(if $(wildcard $(DESTDIR)$(SYSCONFDIR)/default/ferry),,$(call \
		install-text,644,control/init/ferry.default,$(SYSCONFDIR)/default/ferry))
	install -d -m 755 $(DESTDIR)$(SYSCONFDIR)/ferry/auto $(DESTDIR)$(SYSCONFDIR)/ferry/hooks.d
	$(if $(paths-shared),,install -d -m 755 $(DESTDIR)$(LOCALSTATEDIR)/lib $(DESTDIR)$(LOCALSTATEDIR)/log)
	$(if $(paths-shared),,install -d -m 700 $(DESTDIR)$(LOCALSTATEDIR)/lib/ferry)

install-kernels: images
	install -D -m 644 -t $(DESTDIR)$(LIBDIR)/ferry $(IMAGES_NAMES:%=$(IMAGES)/%)

install-debug: images
	install -D -m 644 -t $(DESTDIR)$(DEBUGDIR) $(IMAGES_NAMES:%=$(IMAGES)/%.debug)

# What `make install` put there, with the same variables; configurations and what ferryd knows are left.
uninstall:
	rm -f $(DESTDIR)$(SBINDIR)/ferry $(DESTDIR)$(SBINDIR)/ferryd $(DESTDIR)$(EXTCAPDIR)/ferry-extcap $(INSTALL_MAN:%=$(DESTDIR)$(DATADIR)/man/man8/%) \
		$(DESTDIR)$(UNITDIR)/ferryd.service $(DESTDIR)$(UNITDIR)/ferry.service \
		$(DESTDIR)$(DATADIR)/bash-completion/completions/ferry $(DESTDIR)$(DATADIR)/bash-completion/completions/ferryd $(IMAGES_NAMES:%=$(DESTDIR)$(LIBDIR)/ferry/%) \
		$(IMAGES_NAMES:%=$(DESTDIR)$(DEBUGDIR)/%.debug) $(DESTDIR)$(LIBDIR)/ferry/ferry-linux-image $(DESTDIR)$(LIBDIR)/ferry/linux-init \
		$(DESTDIR)$(LIBDIR)/ferry/linux-block $(DESTDIR)$(LIBDIR)/ferry/linux-vif
	rm -rf $(DESTDIR)$(DATADIR)/doc/ferry
	-rmdir $(DESTDIR)$(LIBDIR)/ferry $(DESTDIR)$(DEBUGDIR)

# Debian 12; build/deb/*.deb. Installs what that needs, which only root can; a package that builds them elsewhere runs tools/make-deb.
deb:
	@tools/setup debian/packages.txt
	@tools/make-deb $(BUILD)/deb
