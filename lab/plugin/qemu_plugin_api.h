/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What instruction_count.c needs of QEMU's interface for TCG plugins, version 1: Debian packages no
 * header for it. Source: QEMU 7.2, docs/devel/tcg-plugins.rst, and the symbols that its binary exports.
 */
#ifndef LAB_QEMU_PLUGIN_API_H
#define LAB_QEMU_PLUGIN_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QEMU_PLUGIN_API_VERSION 1

struct qemu_plugin_tb; /* a translated block of guest code */
struct qemu_plugin_insn;

/* What QEMU says of itself when it loads a plugin. */
struct qemu_plugin_info {
    const char *target_name;
    struct {
        int min, cur;
    } version;
    bool system_emulation;
    struct {
        int smp_vcpus, max_vcpus;
    } system;
};

/* What a callback does with the guest's registers. */
enum qemu_plugin_registers {
    QEMU_PLUGIN_CB_NO_REGS,
    QEMU_PLUGIN_CB_R_REGS,
    QEMU_PLUGIN_CB_RW_REGS
};

typedef void (*qemu_plugin_tb_translated)(uint64_t id, struct qemu_plugin_tb *tb);
typedef void (*qemu_plugin_tb_executed)(unsigned int vcpu, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, qemu_plugin_tb_translated translated);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
                                          qemu_plugin_tb_executed executed,
                                          enum qemu_plugin_registers registers, void *data);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);

/* Where the instruction lies in QEMU's own address space. */
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *insn);

#endif
