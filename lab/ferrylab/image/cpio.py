# SPDX-License-Identifier: BSD-2-Clause
"""Writes an initramfs ("newc" cpio, Documentation/driver-api/early-userspace)."""
import os
import stat
from pathlib import Path


class Initramfs:
    """Collects files under their paths in the image, then writes them."""

    def __init__(self):
        self.entries = {}

    def add_dir(self, path):
        path = path.strip("/")
        if path and path not in self.entries:
            self.add_dir(os.path.dirname(path))
            self.entries[path] = (stat.S_IFDIR | 0o755, b"", 0, 0)

    def add_data(self, path, data, mode=0o644):
        path = path.strip("/")
        self.add_dir(os.path.dirname(path))
        self.entries[path] = (stat.S_IFREG | mode, data, 0, 0)

    def add_file(self, path, source):
        source = Path(source)
        mode = 0o755 if os.access(source, os.X_OK) else 0o644
        self.add_data(path, source.read_bytes(), mode)

    def add_link(self, path, target):
        path = path.strip("/")
        self.add_dir(os.path.dirname(path))
        self.entries[path] = (stat.S_IFLNK | 0o777, target.encode(), 0, 0)

    def add_char_device(self, path, major, minor):
        path = path.strip("/")
        self.add_dir(os.path.dirname(path))
        self.entries[path] = (stat.S_IFCHR | 0o600, b"", major, minor)

    def write(self, target):
        with open(target, "wb") as out:
            for number, (path, entry) in enumerate(sorted(self.entries.items()), 1):
                out.write(_record(number, path, *entry))
            out.write(_record(0, "TRAILER!!!", 0, b"", 0, 0))


def _record(inode, path, mode, data, major, minor):
    name = path.encode() + b"\0"
    fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, major, minor, len(name), 0)
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + name
    return _padded(head) + _padded(data)


def _padded(data):
    return data + b"\0" * (-len(data) % 4)
