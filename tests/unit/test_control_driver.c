/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "check/driver.h"

#define ONE                                                                                        \
    "\177ELF\0PMD_INFO_STRING= {\"name\": \"net_one\", \"kmod\": \"x\", \"pci_ids\": [[32902, "    \
    "4307, "                                                                                       \
    "65535, 65535], [6900, 4161, 6900, 4352]]}\0"
#define TWO                                                                                        \
    "PMD_INFO_STRING= {\"name\": \"net_two\", \"pci_ids\": [[5549, 1968, 65535, 65535]]}\0rest"

/* In memory of exactly that size: whoever reads on is caught. */
static int find(const char *text, size_t len, struct driver_device device, const char *expected)
{
    char name[DRIVER_NAME_SIZE] = "", *image = malloc(len);
    int err;

    memcpy(image, text, len);
    err = driver_find(image, len, &device, name);
    free(image);
    assert_string_equal(name, expected);
    return err;
}

static const struct driver_device intel = { 0x8086, 0x10d3, 1, 2 };
static const struct driver_device exact = { 0x1af4, 0x1041, 0x1af4, 0x1100 };
static const struct driver_device second = { 0x15ad, 0x07b0, 0x15ad, 0x07b0 };

static void devices_have_the_driver_with_their_ids(void **state)
{
    struct driver_device other = exact;

    (void)state;
    assert_int_equal(find(ONE TWO, sizeof(ONE TWO), intel, "net_one"), 0);
    assert_int_equal(find(ONE TWO, sizeof(ONE TWO), exact, "net_one"), 0);
    assert_int_equal(find(ONE TWO, sizeof(ONE TWO), second, "net_two"), 0);
    other.subdevice++;
    assert_int_equal(find(ONE TWO, sizeof(ONE TWO), other, ""), -ENODEV);
    assert_int_equal(find(ONE, sizeof(ONE), second, ""), -ENODEV);
}

static void an_image_without_drivers_is_anothers(void **state)
{
    (void)state;
    assert_int_equal(find("\177ELF, and more", 15, intel, ""), -ENOENT);
    assert_int_equal(find("PMD_INFO_STRING= {", 18, intel, ""), -ENOENT);
}

static void what_is_cut_off_is_not_read(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof(ONE) - 3; len++) {
        char name[DRIVER_NAME_SIZE], *image = malloc(len + 1);

        memcpy(image, ONE, len);
        (void)driver_find(image, len, &exact, name);
        free(image);
    }
    assert_int_equal(find(ONE, strlen("\177ELF") + 80, intel, ""), -ENODEV);
}

static void ids_that_are_none_match_nothing(void **state)
{
    static const char text[] = "PMD_INFO_STRING= {\"name\": \"net_odd\", \"pci_ids\": [[32902, x";
    static const char name[] =
        "PMD_INFO_STRING= {\"name\": \"net_with_a_name_that_is_longer_than_it_may_be\", "
        "\"pci_ids\": [[32902, 4307, 65535, 65535]]}";

    (void)state;
    assert_int_equal(find(text, sizeof(text), intel, ""), -ENODEV);
    assert_int_equal(find(name, sizeof(name), intel, ""), -ENODEV);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_have_the_driver_with_their_ids),
        cmocka_unit_test(an_image_without_drivers_is_anothers),
        cmocka_unit_test(what_is_cut_off_is_not_read),
        cmocka_unit_test(ids_that_are_none_match_nothing),
    };

    return cmocka_run_group_tests_name("control_driver", tests, NULL, NULL);
}
