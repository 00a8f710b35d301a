/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An XDP program for a guest: IPv4 and ARP pass, all else is dropped. So a ping shows that the frontend finds
 * frames where it looks for them. Built with clang -target bpf.
 */
struct xdp_md {
    unsigned int data, data_end;
};

#define SECTION(name) __attribute__((section(name), used))
#define XDP_DROP 1
#define XDP_PASS 2

SECTION("xdp") int xdp_known(struct xdp_md *ctx)
{
    const unsigned char *p = (const unsigned char *)(long)ctx->data;

    if (p + 14 > (const unsigned char *)(long)ctx->data_end)
        return XDP_DROP;
    return p[12] == 0x08 && (p[13] == 0x00 || p[13] == 0x06) ? XDP_PASS : XDP_DROP;
}

SECTION("license") const char xdp_license[] = "Dual BSD/GPL";
