# SPDX-License-Identifier: BSD-2-Clause
"""Unpacks kernels: under emulation, unpacking in the machine takes seconds."""
import gzip
import lzma
import struct

from ..errors import LabError

# Documentation/arch/x86/boot.rst: "payload_offset", "payload_length".
_SETUP_SECTS, _MAGIC, _PAYLOAD = 0x1F1, 0x202, 0x248


def unpack_vmlinuz(vmlinuz, vmlinux):
    image = vmlinuz.read_bytes()
    if image[_MAGIC:_MAGIC + 4] != b"HdrS":
        raise LabError(f"{vmlinuz} is not a bzImage; does Debian's kernel package still hold one?")
    sectors = image[_SETUP_SECTS] or 4
    offset, length = struct.unpack_from("<II", image, _PAYLOAD)
    start = (sectors + 1) * 512 + offset
    # The payload's last 4 bytes are its unpacked size, not part of the stream.
    payload = image[start:start + length - 4]
    if payload[:6] != b"\xfd7zXZ\0":
        raise LabError(f"{vmlinuz} is not packed with xz; teach lab/ferrylab/image/kernel.py "
                       f"the new format ({payload[:6].hex()})")
    vmlinux.write_bytes(lzma.decompress(payload))


def unpack_gz(source, target):
    target.write_bytes(gzip.decompress(source.read_bytes()))
