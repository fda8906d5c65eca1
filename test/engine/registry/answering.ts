import {onTestFinished} from 'vitest';
import type {Connection, RegistryRequest} from '../../../src/engine/registry/connection.ts';

export interface Given {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly link?: string;
  readonly body: unknown;
}

/** A registry that gives one answer after the other, and is asked for all of them. */
export function answering(
  registry: string,
  given: readonly Given[],
): {readonly connection: Connection; readonly asked: readonly string[]} {
  const answers = [...given];
  const asked: string[] = [];
  onTestFinished(() => {
    if (answers.length > 0) throw new Error(`nobody asked for ${JSON.stringify(answers)}`);
  });
  return {
    asked,
    connection: {
      endpoint: {registry, bases: [`https://${registry}`], tls: {verify: true, ca: []}},
      async send({target}: RegistryRequest) {
        asked.push(String(target));
        const {status = 200, headers = {}, link, body} = answers.shift() ?? {status: 500, body: {}};
        return {
          ...{status, all: () => [], discard: () => undefined},
          headers: {...headers, ...(link === undefined ? {} : {link})},
          url: new URL(target, `https://${registry}`),
          body: (async function* () {
            yield Buffer.from(JSON.stringify(body));
          })(),
        };
      },
    },
  };
}
