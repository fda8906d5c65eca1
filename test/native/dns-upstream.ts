/** What an upstream saw of a question. */
export interface SeenQuestion {
  readonly name: string;
  readonly id: number;
  readonly port: number;
  readonly tcp: boolean;
  /** The whole message in hex. */
  readonly message: string;
}

/**
 * A resolver to be run by a peer (it sees nothing but its arguments). The first label of a name says what happens:
 * `silent`, `servfail`, `refused`, `nx`; `wrongid`, `wrongquestion`, `wrongsource`: a false answer (203.0.113.66) before
 * the right one; `manyN`: N addresses; `hugeN`: N bytes in answers; `cut`: half an answer over TCP; everything else is
 * 192.0.2.1. With `broken` every question is answered so.
 */
export async function startUpstream(address: string, port: number, broken = ''): Promise<void> {
  const dgram = process.getBuiltinModule('node:dgram');
  const net = process.getBuiltinModule('node:net');
  const seen: SeenQuestion[] = [];
  const store = globalThis as unknown as Record<string, unknown>;
  store[`seen ${address}:${port}`] = seen;

  function endOfQuestion(query: Buffer): number {
    let offset = 12;
    while (query.readUInt8(offset) !== 0) offset += 1 + query.readUInt8(offset);
    return offset + 5;
  }

  function nameOf(query: Buffer): string {
    const labels: string[] = [];
    for (let offset = 12; query.readUInt8(offset) !== 0; offset += 1 + query.readUInt8(offset)) {
      labels.push(query.toString('latin1', offset + 1, offset + 1 + query.readUInt8(offset)));
    }
    return labels.join('.');
  }

  function reply(query: Buffer, rcode: number, records: readonly Buffer[], limit: number): Buffer {
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180 | rcode, 2);
    header.writeUInt16BE(1, 4);
    const question = query.subarray(12, endOfQuestion(query));
    const whole = Buffer.concat([header, question, ...records]);
    if (whole.length > limit) {
      header.writeUInt16BE(0x8380 | rcode, 2);
      return Buffer.concat([header, question]);
    }
    whole.writeUInt16BE(records.length, 6);
    return whole;
  }

  function record(type: number, data: Buffer): Buffer {
    const fixed = Buffer.alloc(12);
    fixed.writeUInt16BE(0xc00c, 0);
    fixed.writeUInt16BE(type, 2);
    fixed.writeUInt16BE(1, 4);
    fixed.writeUInt32BE(30, 6);
    fixed.writeUInt16BE(data.length, 10);
    return Buffer.concat([fixed, data]);
  }

  const a = (...parts: readonly number[]): Buffer => record(1, Buffer.from(parts));
  const evil = a(203, 0, 113, 66);

  function limitOf(query: Buffer, tcp: boolean): number {
    if (tcp) return 65_535;
    return query.readUInt16BE(10) === 1 ? query.readUInt16BE(endOfQuestion(query) + 3) : 512;
  }

  /** False answers first, the right one last; none: silence. */
  function answers(query: Buffer, tcp: boolean): readonly Buffer[] {
    const kind = broken || (nameOf(query).split('.')[0] ?? '');
    const limit = limitOf(query, tcp);
    const right = reply(query, 0, [a(192, 0, 2, 1)], limit);
    const number = Number(kind.replace(/^\D*/, ''));
    if (kind === 'silent') return [];
    if (kind === 'servfail') return [reply(query, 2, [], limit)];
    if (kind === 'refused') return [reply(query, 5, [], limit)];
    if (kind === 'nx') return [reply(query, 3, [], limit)];
    if (kind === 'wrongid') {
      const wrong = reply(query, 0, [evil], limit);
      wrong.writeUInt16BE((query.readUInt16BE(0) + 1) & 0xffff, 0);
      return [wrong, right];
    }
    if (kind === 'wrongquestion') {
      const wrong = reply(query, 0, [evil], limit);
      wrong.writeUInt8(wrong.readUInt8(13) ^ 1, 13);
      return [wrong, Buffer.from('short'), right];
    }
    if (/^many\d+$/.test(kind)) {
      const list = Array.from({length: number}, (_, index) => a(198, 51, 100 + (index >> 8), index & 255));
      return [reply(query, 0, list, limit)];
    }
    if (/^huge\d+$/.test(kind)) {
      const list = Array.from({length: Math.ceil(number / 1000)}, () => record(16, Buffer.alloc(988, 1)));
      return [reply(query, 0, list, limit)];
    }
    return [right];
  }

  const udp = dgram.createSocket(address.includes(':') ? 'udp6' : 'udp4');
  udp.on('message', (query, from) => {
    seen.push({
      name: nameOf(query),
      id: query.readUInt16BE(0),
      port: from.port,
      tcp: false,
      message: query.toString('hex'),
    });
    if (nameOf(query).startsWith('wrongsource')) {
      const other = dgram.createSocket('udp4');
      other.send(reply(query, 0, [evil], 512), from.port, from.address, () => other.close());
      setTimeout(() => udp.send(reply(query, 0, [a(192, 0, 2, 1)], 512), from.port, from.address), 100);
      return;
    }
    for (const answer of answers(query, false)) udp.send(answer, from.port, from.address);
  });
  await new Promise<void>((resolve) => udp.bind(port, address, () => resolve()));
  const tcp = net.createServer((socket) => {
    let got = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (data) => {
      got = Buffer.concat([got, data]);
      if (got.length < 2 || got.length < 2 + got.readUInt16BE(0)) return;
      const query = got.subarray(2, 2 + got.readUInt16BE(0));
      got = Buffer.alloc(0);
      seen.push({
        name: nameOf(query),
        id: query.readUInt16BE(0),
        port: socket.remotePort ?? 0,
        tcp: true,
        message: query.toString('hex'),
      });
      const answer = answers(query, true).at(-1);
      if (answer === undefined) return;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(answer.length);
      if (nameOf(query).startsWith('cut')) {
        socket.end(Buffer.concat([length, answer.subarray(0, 20)]));
        return;
      }
      // In pieces, as a network may deliver it: half the length first.
      socket.write(length.subarray(0, 1));
      setTimeout(() => {
        socket.write(length.subarray(1));
        socket.write(answer);
      }, 20);
    });
  });
  await new Promise<void>((resolve) => tcp.listen(port, address, () => resolve()));
}

/** To be run by the same peer: everything seen since the last call. */
export function takeSeen(address: string, port: number): SeenQuestion[] {
  const store = globalThis as unknown as Record<string, SeenQuestion[]>;
  return store[`seen ${address}:${port}`]?.splice(0) ?? [];
}
