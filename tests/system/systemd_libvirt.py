# SPDX-License-Identifier: BSD-2-Clause
"""A guest that libvirt's Xen driver makes, its interface on Ferry by <backenddomain>: it outlives the driver domain."""
import ferry_domnet
import recovery_common as common
import systemd_common as systemd
from ferry_domnet import expect
from ferrylab.domain import Guest

MACHINE = "systemd"
IN_CHECK = False
COMMAND = "make check-systemd"

GUEST = f"""<domain type='xen'>
  <name>guest1</name>
  <memory unit='MiB'>128</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='xenpv'>linux</type>
    <kernel>/root/images/vmlinux</kernel>
    <initrd>/root/images/guest.cpio</initrd>
    <cmdline>console=hvc0 lab.agent lab.name=guest1</cmdline>
  </os>
  <devices>
    <interface type='bridge'>
      <mac address='{ferry_domnet.mac(1)}'/>
      <source bridge='xenbr0'/>
      <backenddomain name='domnet'/>
    </interface>
    <console type='pty'><target type='xen' port='0'/></console>
  </devices>
</domain>
"""


def virsh(lab, words, check=True):
    return lab.dom0.run(f"virsh -q -c xen:///system {words}", timeout=60, check=check)


def has_vif(lab):
    return ferry_domnet.mac(1) in virsh(lab, "domiflist guest1").stdout


def run(lab):
    systemd.install_tools(lab)
    # libvirt wants to know its host's processor: no model of its list is without SYSENTER, which Xen hides on
    # AMD's, and without VME, which QEMU's emulation does not have, but hosts do.
    lab.dom0.run("sed -i \"/'vme'/d\" /usr/share/libvirt/cpu_map/x86_486.xml")
    lab.dom0.run("systemctl daemon-reload && systemctl start ferryd libvirtd", timeout=90)
    systemd.configure(lab, "/usr/local/share/doc/ferry/examples")
    systemd.start(lab)
    lab.dom0.put(GUEST.encode(), "/root/guest1.xml")
    virsh(lab, "define /root/guest1.xml")
    virsh(lab, "start guest1")
    guest = Guest(lab, "guest1").connect()
    expect(has_vif(lab), "virsh does not show the interface")
    guest.run("ip addr add 10.77.0.2/24 dev eth0 && ip link set eth0 up")
    common.ping_works(lab, guest)
    systemd.dies(lab, guest, "xl destroy domnet", 3)
    expect(has_vif(lab), "virsh lost the interface by a rebuild")
    virsh(lab, f"detach-interface guest1 bridge {ferry_domnet.mac(1)}")
    common.wait_for(lambda: guest.run("ip link show eth0", check=False).rc, "the guest still has its interface", 10)
    virsh(lab, "destroy guest1")
    expect(not guest.exists(), "virsh destroyed it, and yet it is there")
    virsh(lab, "undefine guest1")
    systemd.stop(lab)
