# SPDX-License-Identifier: BSD-2-Clause
# The NIC drivers of DPDK's archives that link with this environment layer (docs/nics.md).
#
# NIC_x       the archive, and the objects that register the driver, which pull the rest of it in:
#             objects, not whole archives, so that igb stays out of an image with e1000
# NIC_PMDS_x  the names under which they register: their PCI ids are put into the image
#
# What is not here, of the drivers that Debian's archives have for cards in x86 machines: those that wait
# for threads, which this kernel has none of (bnxt, ena, hinic, iavf, txgbe), that look into files or load
# libraries (ark, cxgbe, qede), need zlib (bnx2x), service cores (nfp, sfc), or a kernel driver and its
# library (mlx4, mlx5).

NIC_atlantic := librte_net_atlantic net_atlantic_atl_ethdev
NIC_PMDS_atlantic := net_atlantic
NIC_avp := librte_net_avp net_avp_avp_ethdev
NIC_PMDS_avp := net_avp
NIC_axgbe := librte_net_axgbe net_axgbe_axgbe_ethdev
NIC_PMDS_axgbe := net_axgbe
NIC_e1000 := librte_net_e1000 net_e1000_em_ethdev
NIC_PMDS_e1000 := net_e1000_em
NIC_enic := librte_net_enic net_enic_enic_ethdev
NIC_PMDS_enic := net_enic
NIC_fm10k := librte_net_fm10k net_fm10k_fm10k_ethdev
NIC_PMDS_fm10k := net_fm10k
NIC_gve := librte_net_gve net_gve_gve_ethdev
NIC_PMDS_gve := net_gve
NIC_hns3 := librte_net_hns3 net_hns3_hns3_ethdev net_hns3_hns3_ethdev_vf
NIC_PMDS_hns3 := net_hns3 net_hns3_vf
NIC_i40e := librte_net_i40e net_i40e_i40e_ethdev
NIC_PMDS_i40e := net_i40e
NIC_ice := librte_net_ice net_ice_ice_ethdev
NIC_PMDS_ice := net_ice
NIC_idpf := librte_net_idpf net_idpf_idpf_ethdev
NIC_PMDS_idpf := net_idpf
NIC_igb := librte_net_e1000 net_e1000_igb_ethdev
NIC_PMDS_igb := net_e1000_igb net_e1000_igb_vf
NIC_igc := librte_net_igc net_igc_igc_ethdev
NIC_PMDS_igc := net_igc
NIC_ionic := librte_net_ionic net_ionic_ionic_dev_pci
NIC_PMDS_ionic := net_ionic_pci
NIC_ixgbe := librte_net_ixgbe net_ixgbe_ixgbe_ethdev
NIC_PMDS_ixgbe := net_ixgbe net_ixgbe_vf
NIC_liquidio := librte_net_liquidio net_liquidio_lio_ethdev
NIC_PMDS_liquidio := net_liovf
NIC_ngbe := librte_net_ngbe net_ngbe_ngbe_ethdev
NIC_PMDS_ngbe := net_ngbe
NIC_octeon_ep := librte_net_octeon_ep net_octeon_ep_otx_ep_ethdev
NIC_PMDS_octeon_ep := net_otx_ep
NIC_virtio := librte_net_virtio net_virtio_virtio_pci_ethdev
NIC_PMDS_virtio := net_virtio
NIC_vmxnet3 := librte_net_vmxnet3 net_vmxnet3_vmxnet3_ethdev
NIC_PMDS_vmxnet3 := net_vmxnet3

NICS_ALL := atlantic avp axgbe e1000 enic fm10k gve hns3 i40e ice idpf igb igc ionic ixgbe liquidio \
	ngbe octeon_ep virtio vmxnet3

# Archives that some of them need; only what is asked for is taken.
NIC_LIBRARIES := librte_security librte_cryptodev librte_rcu librte_common_iavf librte_common_idpf \
	librte_mempool librte_stack librte_timer librte_eventdev librte_sched
