import {randomBytes} from 'node:crypto';
import type {Connection} from '../registry/connection.ts';

/**
 * Which mirrors a request has come through, as `Via` says it (RFC 9110, section 7.6.3). The file that says where registries
 * are is the same for engines and for a mirror beside them, so a mirror is told of itself as the place to ask.
 */
export interface PassedThrough {
  /** Whether it was asked by this very mirror, or through so many that there is no end to see: it gets nothing. */
  isLoop(via: string | undefined): boolean;
  /** A connection that says of its requests what they came through, and this mirror. */
  mark(connection: Connection, via: string | undefined): Connection;
}

const own = /^1\.1 tscompose-[0-9a-f]{16}$/;
/** Mirrors one behind the other. */
const mirrorsMax = 8;

export function createPassedThrough(): PassedThrough {
  const name = `1.1 tscompose-${randomBytes(8).toString('hex')}`;
  return {
    isLoop(via) {
      const marks = marksIn(via);
      return marks.includes(name) || marks.length >= mirrorsMax;
    },
    mark(connection, via) {
      const marks = [...marksIn(via), name].join(', ');
      return {
        ...connection,
        send: (request) => connection.send({...request, headers: {...request.headers, via: marks}}),
      };
    },
  };
}

/** Only what mirrors of this kind have written: the rest is not passed on. */
function marksIn(via: string | undefined): readonly string[] {
  return (via ?? '')
    .split(',')
    .map((mark) => mark.trim())
    .filter((mark) => own.test(mark));
}
