/* SPDX-License-Identifier: BSD-2-Clause */
#include "libc/format.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define DIGITS_MAX 72 /* a 64-bit number in octal, a fixed-point double, and some */
#define FRACTION_MAX 9

struct out {
    char *buf;
    size_t size, len; /* len counts what did not fit too */
};

/* One conversion, read from the format. */
struct spec {
    bool left, plus, space, alt, zero, is_upper;
    int width, precision; /* precision -1: none given */
    unsigned int bytes; /* of an integer argument */
};

static void put(struct out *out, char c)
{
    if (out->len + 1 < out->size)
        out->buf[out->len] = c;
    out->len++;
}

static void pad(struct out *out, char c, int count)
{
    while (count-- > 0)
        put(out, c);
}

/* A field: blanks, prefix (sign, 0x), zeros, body, blanks. */
static void put_field(struct out *out, const struct spec *spec, const char *prefix, int zeros,
                      const char *body, int body_len)
{
    int prefix_len = (int)strlen(prefix);
    int blanks = spec->width - prefix_len - zeros - body_len;

    if (!spec->left)
        pad(out, ' ', blanks);
    for (int i = 0; i < prefix_len; i++)
        put(out, prefix[i]);
    pad(out, '0', zeros);
    for (int i = 0; i < body_len; i++)
        put(out, body[i]);
    if (spec->left)
        pad(out, ' ', blanks);
}

/* Digits of value, ending at end. Returns where they begin; none for 0. */
static char *digits(char *end, uint64_t value, unsigned int base, bool is_upper)
{
    const char *set = is_upper ? "0123456789ABCDEF" : "0123456789abcdef";

    for (; value != 0; value /= base)
        *--end = set[value % base];
    return end;
}

static const char *sign_of(const struct spec *spec, bool is_negative)
{
    if (is_negative)
        return "-";
    return spec->plus ? "+" : spec->space ? " " : "";
}

static void put_number(struct out *out, const struct spec *spec, const char *prefix, uint64_t value,
                       unsigned int base)
{
    char buf[DIGITS_MAX], *end = buf + sizeof(buf);
    char *start = digits(end, value, base, spec->is_upper);
    int len = (int)(end - start);
    int least = spec->precision < 0 ? 1 : spec->precision;
    int zeros;

    if (base == 8 && spec->alt && least <= len)
        least = len + 1;
    zeros = least > len ? least - len : 0;
    if (spec->precision < 0 && spec->zero && !spec->left) {
        int room = spec->width - (int)strlen(prefix) - len;

        zeros = room > zeros ? room : zeros;
    }
    put_field(out, spec, prefix, zeros, start, len);
}

static uint64_t fetch_unsigned(const struct spec *spec, va_list *ap)
{
    uint64_t value = spec->bytes == 8 ? va_arg(*ap, uint64_t) : va_arg(*ap, unsigned int);

    return spec->bytes == 8 ? value : value & ((1ull << (8 * spec->bytes)) - 1);
}

static int64_t fetch_signed(const struct spec *spec, va_list *ap)
{
    int value;

    if (spec->bytes == 8)
        return va_arg(*ap, int64_t);
    value = va_arg(*ap, int);
    return spec->bytes == 2 ? (int16_t)value : spec->bytes == 1 ? (int8_t)value : value;
}

static void put_double(struct out *out, const struct spec *spec, double value)
{
    static const uint32_t powers[FRACTION_MAX + 1] = { 1,         10,        100,     1000,
                                                       10000,     100000,    1000000, 10000000,
                                                       100000000, 1000000000 };
    char buf[DIGITS_MAX], *end = buf + sizeof(buf), *start = end;
    int fraction_len = spec->precision < 0 ? 6 : spec->precision;
    bool is_negative = __builtin_signbit(value);
    double magnitude = is_negative ? -value : value;
    uint64_t whole, fraction;
    int len, zeros;

    if (!(magnitude < 9e18)) {
        const char *word = __builtin_isnan(value) ? "nan" : __builtin_isinf(value) ? "inf" : "big";

        put_field(out, spec, sign_of(spec, is_negative), 0, word, 3);
        return;
    }
    if (fraction_len > FRACTION_MAX)
        fraction_len = FRACTION_MAX;
    whole = (uint64_t)magnitude;
    fraction = (uint64_t)((magnitude - (double)whole) * powers[fraction_len] + 0.5);
    if (fraction >= powers[fraction_len]) {
        whole++;
        fraction -= powers[fraction_len];
    }
    for (int i = 0; i < fraction_len; i++, fraction /= 10)
        *--start = (char)('0' + fraction % 10);
    if (fraction_len > 0 || spec->alt)
        *--start = '.';
    if (whole == 0)
        *--start = '0';
    start = digits(start, whole, 10, false);
    len = (int)(end - start);
    zeros = spec->zero && !spec->left ? spec->width - len - (is_negative || spec->plus) : 0;
    put_field(out, spec, sign_of(spec, is_negative), zeros > 0 ? zeros : 0, start, len);
}

static void put_string(struct out *out, const struct spec *spec, const char *text)
{
    size_t most = spec->precision < 0 ? INT_MAX : (size_t)spec->precision;

    if (!text)
        text = "(null)";
    put_field(out, spec, "", 0, text, (int)strnlen(text, most));
}

/* Digits or a star. */
static int read_count(const char **fmt, va_list *ap)
{
    int count = 0;

    if (**fmt == '*') {
        (*fmt)++;
        return va_arg(*ap, int);
    }
    for (; **fmt >= '0' && **fmt <= '9'; (*fmt)++)
        count = count > INT_MAX / 20 ? count : count * 10 + (**fmt - '0');
    return count;
}

static void read_flags(struct spec *spec, const char **fmt)
{
    for (;; (*fmt)++) {
        switch (**fmt) {
        case '-':
            spec->left = true;
            break;
        case '+':
            spec->plus = true;
            break;
        case ' ':
            spec->space = true;
            break;
        case '#':
            spec->alt = true;
            break;
        case '0':
            spec->zero = true;
            break;
        default:
            return;
        }
    }
}

static void read_length(struct spec *spec, const char **fmt)
{
    spec->bytes = 4;
    for (; **fmt && strchr("hlqjztL", **fmt); (*fmt)++)
        spec->bytes = **fmt == 'h' ? (spec->bytes == 2 ? 1 : 2) : 8;
}

static void read_spec(struct spec *spec, const char **fmt, va_list *ap)
{
    *spec = (struct spec){ .precision = -1 };
    read_flags(spec, fmt);
    spec->width = read_count(fmt, ap);
    if (spec->width < 0) {
        spec->left = true;
        spec->width = spec->width == INT_MIN ? INT_MAX : -spec->width;
    }
    if (**fmt == '.') {
        (*fmt)++;
        spec->precision = read_count(fmt, ap);
        if (spec->precision < 0)
            spec->precision = -1;
    }
    read_length(spec, fmt);
}

static void put_signed(struct out *out, const struct spec *spec, int64_t value)
{
    uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;

    put_number(out, spec, sign_of(spec, value < 0), magnitude, 10);
}

static void put_hex(struct out *out, const struct spec *spec, uint64_t value, bool has_prefix)
{
    put_number(out, spec, !has_prefix ? "" : spec->is_upper ? "0X" : "0x", value, 16);
}

static bool put_conversion(struct out *out, struct spec *spec, char conversion, va_list *ap)
{
    uint64_t value;
    char c;

    spec->is_upper = conversion == 'X';
    switch (conversion) {
    case 'd':
    case 'i':
        put_signed(out, spec, fetch_signed(spec, ap));
        return true;
    case 'u':
    case 'o':
        put_number(out, spec, "", fetch_unsigned(spec, ap), conversion == 'o' ? 8 : 10);
        return true;
    case 'x':
    case 'X':
        value = fetch_unsigned(spec, ap);
        put_hex(out, spec, value, spec->alt && value != 0);
        return true;
    case 'p':
        put_hex(out, spec, (uintptr_t)va_arg(*ap, void *), true);
        return true;
    case 'c':
        c = (char)va_arg(*ap, int);
        put_field(out, spec, "", 0, &c, 1);
        return true;
    case 's':
        put_string(out, spec, va_arg(*ap, const char *));
        return true;
    case 'f':
    case 'F':
    case 'e':
    case 'E':
    case 'g':
    case 'G':
        put_double(out, spec, va_arg(*ap, double));
        return true;
    case '%':
        put(out, '%');
        return true;
    default:
        return false;
    }
}

int libc_format(char *buf, size_t size, const char *fmt, va_list ap_in)
{
    struct out out = { .buf = buf, .size = size };
    bool is_good = true;
    struct spec spec;
    va_list ap;

    va_copy(ap, ap_in);
    while (is_good && *fmt) {
        if (*fmt != '%') {
            put(&out, *fmt++);
            continue;
        }
        fmt++;
        read_spec(&spec, &fmt, &ap);
        is_good = put_conversion(&out, &spec, *fmt, &ap);
        fmt++;
    }
    va_end(ap);
    if (size > 0)
        buf[out.len < size ? out.len : size - 1] = '\0';
    return is_good && out.len <= INT_MAX ? (int)out.len : -1;
}
