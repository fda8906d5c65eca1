/** Reads the fields of SSH's protocols one after the other (RFC 4251, section 5). Throws `RangeError` beyond the end. */
export class WireReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  number(): number {
    const value = this.#bytes.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  /** Bytes with their length in front. */
  field(): Buffer {
    const length = this.number();
    if (this.#at + length > this.#bytes.length) throw new RangeError('a field goes beyond the end');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  text(): string {
    return this.field().toString('latin1');
  }
}

export function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function field(content: Buffer | string): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return Buffer.concat([number(bytes.length), bytes]);
}

/** A whole number that is not negative: without zeros in front, but with one where it would be taken for a sign. */
export function wholeNumber(magnitude: Buffer): Buffer {
  const start = magnitude.findIndex((byte) => byte !== 0);
  const bytes = start < 0 ? Buffer.alloc(0) : magnitude.subarray(start);
  return field((bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
}
