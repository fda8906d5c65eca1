/** `key=value,"key=a,b"`: fields of one line of CSV (RFC 4180), each split at its first `=`; a field without one has no value. */
export function csvFields(text: string): readonly (readonly [key: string, value: string | undefined])[] {
  return splitFields(text).map((field) => {
    const equals = field.indexOf('=');
    return equals < 0 ? [field.trim(), undefined] : [field.slice(0, equals).trim(), field.slice(equals + 1)];
  });
}

function splitFields(text: string): readonly string[] {
  return [...text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"(?=,|$)|([^,]*))/g)].map(
    ([, quoted, plain = '']) => quoted?.replaceAll('""', '"') ?? plain,
  );
}
