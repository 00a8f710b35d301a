# SPDX-License-Identifier: BSD-2-Clause
# Where Ferry is installed, and where its tools look for things: what is said here is compiled in.
#
#   make install                                    under /usr/local, with /etc/ferry, /var/lib/ferry and /run/ferry
#   make install PREFIX=/usr DESTDIR=/tmp/x         for a package
#   make install PREFIX=/opt/ferry                  all of it there, but for /run/ferry
#
# As Xen's own configure does it, /usr and /usr/local share /etc and /var; another prefix has its own.

DESTDIR ?=
PREFIX ?= /usr/local
paths-shared := $(filter /usr /usr/local,$(PREFIX))

SBINDIR ?= $(PREFIX)/sbin
LIBDIR ?= $(PREFIX)/lib
DATADIR ?= $(PREFIX)/share
SYSCONFDIR ?= $(if $(paths-shared),/etc,$(PREFIX)/etc)
LOCALSTATEDIR ?= $(if $(paths-shared),/var,$(PREFIX)/var)
RUNDIR ?= /run
UNITDIR ?= $(LIBDIR)/systemd/system
# gdb's convention: the file's whole path under /usr/lib/debug.
DEBUGDIR ?= /usr/lib/debug$(LIBDIR)/ferry
# Where Wireshark looks for programs that capture (`tshark -G folders`): Debian's has /usr/lib/x86_64-linux-gnu/wireshark/extcap.
EXTCAPDIR ?= $(LIBDIR)/wireshark/extcap
# The documents that messages name; tools/check-deb looks whether they are there.
ifneq ($(filter command environment,$(firstword $(origin DOCSDIR))),)
$(error DOCSDIR follows DATADIR: set that)
endif
DOCSDIR := $(DATADIR)/doc/ferry/docs

paths-wrong := $(foreach p,PREFIX SBINDIR LIBDIR DATADIR SYSCONFDIR LOCALSTATEDIR RUNDIR UNITDIR DEBUGDIR \
	EXTCAPDIR DOCSDIR,\
	$(if $(filter /%,$($(p))),$(if $(word 2,$($(p))),$(p)),$(p)))
ifneq ($(strip $(paths-wrong)),)
$(error $(strip $(paths-wrong)): one path from the root on is wanted)
endif

# For control/util/paths.h.
PATHS_CFLAGS := -DPATHS_CONFIG='"$(SYSCONFDIR)/ferry"' -DPATHS_STATE='"$(LOCALSTATEDIR)/lib/ferry"' \
	-DPATHS_RUN='"$(RUNDIR)/ferry"' -DPATHS_LOG='"$(LOCALSTATEDIR)/log/ferryd.log"' \
	-DPATHS_DEBUG='"$(DEBUGDIR)"' -DPATHS_KERNELS='"$(LIBDIR)/ferry"' -DPATHS_FERRY='"$(SBINDIR)/ferry"' \
	-DPATHS_DOCS='"$(DOCSDIR)"'

# What is text names the same places: it is written for PREFIX=/usr. A second pass keeps what one pattern put in
# from being found by the next.
PATHS_SED := sed -e 's|/usr/lib/debug/usr/lib/ferry|@DEBUG@|g' -e 's|/usr/sbin/ferry|@SBIN@/ferry|g' \
	-e 's|/usr/lib/ferry|@LIB@/ferry|g' -e 's|/usr/lib/x86_64-linux-gnu/wireshark/extcap|@EXTCAP@|g' -e 's|/usr/share/doc/ferry|@DATA@/doc/ferry|g' \
	-e 's|/etc/ferry|@ETC@/ferry|g' -e 's|/etc/default/ferry|@ETC@/default/ferry|g' \
	-e 's|/var/lib/ferry|@VAR@/lib/ferry|g' -e 's|/var/log/ferryd|@VAR@/log/ferryd|g' -e 's|/run/ferry|@RUN@/ferry|g' \
	-e 's|@DEBUG@|$(DEBUGDIR)|g; s|@SBIN@|$(SBINDIR)|g; s|@LIB@|$(LIBDIR)|g; s|@DATA@|$(DATADIR)|g' \
	-e 's|@ETC@|$(SYSCONFDIR)|g; s|@VAR@|$(LOCALSTATEDIR)|g; s|@RUN@|$(RUNDIR)|g; s|@EXTCAP@|$(EXTCAPDIR)|g'
