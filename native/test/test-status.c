/* JSON as the TypeScript side reads it, numbers, and what an errno is called. */
#include <errno.h>
#include <limits.h>

#include "check.h"
#include "status.h"

static const char *quoted(const char *text, size_t size) {
  static struct json json;
  json_free(&json);
  json_bytes(&json, text, size);
  buffer_append(&json.buffer, "", 1);
  return json.buffer.data;
}

static void test_strings(void) {
  CHECK_TEXT(quoted("plain", 5), "\"plain\"");
  CHECK_TEXT(quoted("", 0), "\"\"");
  CHECK_TEXT(quoted("a\"b\\c\n\r\t\x01\x1f\x7f", 11), "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f\\u007f\"");
  CHECK_TEXT(quoted("nul\0in", 6), "\"nul\\u0000in\"");
  CHECK_TEXT(quoted("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9), "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
  /* Cut off, too long, surrogates, beyond Unicode: each byte is replaced. */
  CHECK_TEXT(quoted("\xc3", 1), "\"\xef\xbf\xbd\"");
  CHECK_TEXT(quoted("a\xe2\x82z", 4), "\"a\xef\xbf\xbd\xef\xbf\xbdz\"");
  CHECK_TEXT(quoted("\xc0\xaf", 2), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
  CHECK_TEXT(quoted("\xed\xa0\x80", 3), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
  CHECK_TEXT(quoted("\xf4\x90\x80\x80", 4), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void test_structure(void) {
  struct json json = {0};
  struct failure failure;
  fail_errno(&failure, ENOENT, "bind %s", "/da\xff");
  failure.exit_code = 127;
  json_open(&json, '{');
  json_member_number(&json, "a", INT64_MIN);
  json_key(&json, "list");
  json_open(&json, '[');
  json_base64(&json, "", 0);
  json_base64(&json, "a", 1);
  json_base64(&json, "ab", 2);
  json_base64(&json, "\xff\xfe\xfd", 3);
  json_unsigned(&json, UINT64_MAX);
  json_close(&json, ']');
  json_member_failure(&json, &failure);
  json_close(&json, '}');
  buffer_append(&json.buffer, "", 1);
  CHECK_TEXT(json.buffer.data,
             "{\"a\":-9223372036854775808,\"list\":[\"\",\"YQ==\",\"YWI=\",\"//79\",18446744073709551615],"
             "\"error\":{\"kind\":\"notFound\",\"errno\":\"ENOENT\",\"step\":\"bind /da\xef\xbf\xbd\","
             "\"message\":\"bind /da\xef\xbf\xbd: no such file or directory\",\"exitCode\":127}}");
  json_free(&json);
}

static void test_errors(void) {
  CHECK_TEXT(kind_of_errno(EADDRINUSE), "conflict");
  CHECK_TEXT(kind_of_errno(EACCES), "forbidden");
  CHECK_TEXT(kind_of_errno(ENOSPC), "exhausted");
  CHECK_TEXT(kind_of_errno(ENOSYS), "unsupported");
  CHECK_TEXT(kind_of_errno(EIO), "internal");
  CHECK_TEXT(errno_name(EPERM), "EPERM");
  CHECK_TEXT(errno_name(4095), "E4095");
}

static void test_numbers(void) {
  uint64_t number;
  int64_t with_sign;
  unsigned mode;
  CHECK(parse_unsigned("18446744073709551615", UINT64_MAX, &number) && number == UINT64_MAX);
  CHECK(!parse_unsigned("18446744073709551616", UINT64_MAX, &number));
  CHECK(!parse_unsigned("", 9, &number) && !parse_unsigned("+1", 9, &number) && !parse_unsigned(" 1", 9, &number));
  CHECK(!parse_unsigned("10", 9, &number) && !parse_unsigned("1x", 99, &number) && !parse_unsigned("0x1", 99, &number));
  CHECK(parse_signed("-9223372036854775808", INT64_MIN, INT64_MAX, &with_sign) && with_sign == INT64_MIN);
  CHECK(!parse_signed("9223372036854775808", INT64_MIN, INT64_MAX, &with_sign));
  CHECK(!parse_signed("-", -9, 9, &with_sign) && !parse_signed("--1", -9, 9, &with_sign));
  CHECK(parse_octal("7777", 07777, &mode) && mode == 07777);
  CHECK(!parse_octal("8", 07777, &mode) && !parse_octal("10000", 07777, &mode) && !parse_octal("", 07777, &mode));
  CHECK(parse_hex("ffffffffffffffff", &number) && number == UINT64_MAX);
  CHECK(!parse_hex("10000000000000000", &number) && !parse_hex("g", &number) && !parse_hex("", &number));
}

int main(void) {
  test_strings();
  test_structure();
  test_errors();
  test_numbers();
  return 0;
}
