/**
 * User data of rules and set elements: u8 type · u8 length · value. Type 0 is a comment, a text with a NUL at its end, for
 * both; nft and iptables show it. (libnftnl, include/libnftnl/udata.h.)
 */
const commentType = 0;
const longestComment = 254;

export function encodeComment(comment: string): Uint8Array {
  const value = Buffer.from(comment, 'utf8').subarray(0, longestComment);
  return Buffer.concat([Uint8Array.of(commentType, value.length + 1), value, Uint8Array.of(0)]);
}

/** Empty where there is none. */
export function decodeComment(bytes: Uint8Array): string {
  for (let offset = 0; offset + 2 <= bytes.length; ) {
    const length = bytes[offset + 1] ?? 0;
    if (bytes[offset] === commentType) {
      const value = bytes.subarray(offset + 2, offset + 2 + length);
      const end = value.indexOf(0);
      return Buffer.from(end < 0 ? value : value.subarray(0, end)).toString('utf8');
    }
    offset += 2 + length;
  }
  return '';
}
