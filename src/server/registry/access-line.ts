import type {RegistryRequest} from './message.ts';
import type {Answered} from './registry.ts';

export interface Access {
  /** Milliseconds since the epoch, both. */
  readonly began: number;
  readonly now: number;
  readonly request: Pick<RegistryRequest, 'method' | 'path' | 'query' | 'remote'>;
  readonly answered: Answered;
  /** Bytes of the body that went out. */
  readonly sent: number;
}

/** Longer ones are cut: a line is for people. */
const pathMax = 400;

/** `2026-01-02T03:04:05.678Z 127.0.0.1 ann "GET /v2/app/manifests/1" 200 1234 B 5 ms`, and what else there is to say. */
export function accessLine({began, now, request, answered, sent}: Access): string {
  const {method, path, query, remote} = request;
  const target = `${path}${query.size === 0 ? '' : `?${query}`}`;
  // Whatever a client puts into a path stays within its quotes, and within its line.
  const quoted = plain(
    JSON.stringify(`${method} ${target.length > pathMax ? `${target.slice(0, pathMax)}…` : target}`),
  );
  const {response, user} = answered;
  const note = response.note === undefined ? '' : `: ${plain(response.note)}`;
  const who = user === undefined ? '-' : user.replace(/[^\x21-\x7e]/g, '?');
  return `${new Date(began).toISOString()} ${remote} ${who} ${quoted} ${response.status} ${sent} B ${now - began} ms${note}`;
}

/** Nothing that a terminal would act on: notes quote what clients and other registries send. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Z}]+/gu, ' ');
}
