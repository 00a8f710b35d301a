# SPDX-License-Identifier: BSD-2-Clause
"""Makes the lab's images from Debian packages."""
