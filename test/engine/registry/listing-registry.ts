import type {Connection, RegistryRequest} from '../../../src/engine/registry/connection.ts';
import {digestOf} from '../image/bed.ts';

interface Index {
  readonly manifests?: readonly object[];
}

/** A registry of manifests, which lists what is about others by itself (`lists`) or not. */
export function listingRegistry({lists}: {readonly lists: boolean}) {
  const stored = new Map<string, Buffer>();
  const names: string[] = [];
  const registry = {
    /** Told of each that a client stored. */
    onPut: (_name: string): void => {},
    /** In their order. */
    puts: () => names,
    read: (name: string) => JSON.parse(stored.get(name)?.toString() ?? '{}') as Index,
    put: (name: string, value: object) => void stored.set(name, Buffer.from(JSON.stringify(value))),
  };
  const answer = (target: string | URL, status: number, headers: Record<string, string>, body: Uint8Array) => ({
    ...{status, headers, all: () => [], discard: () => undefined},
    url: new URL(target, 'https://registry.test'),
    body: (async function* () {
      yield body;
    })(),
  });
  const connection: Connection = {
    endpoint: {registry: 'registry.test', bases: ['https://registry.test'], tls: {verify: true, ca: []}},
    async send({method, target, body, headers = {}}: RegistryRequest) {
      const name = String(target).split('/').at(-1) ?? '';
      if (method === 'PUT') {
        const bytes = Buffer.from((body?.() ?? '') as Uint8Array);
        stored.set(name, bytes);
        names.push(name);
        registry.onPut(name);
        const {subject} = JSON.parse(bytes.toString()) as {readonly subject?: {readonly digest: string}};
        const listed = lists && subject !== undefined ? {'oci-subject': subject.digest} : {};
        return answer(target, 201, {'docker-content-digest': digestOf(bytes), ...listed}, Buffer.alloc(0));
      }
      const found = stored.get(name);
      if (found === undefined) {
        const missing = {errors: [{code: 'MANIFEST_UNKNOWN', message: 'unknown'}]};
        return answer(target, 404, {}, Buffer.from(JSON.stringify(missing)));
      }
      const {mediaType} = JSON.parse(found.toString()) as {readonly mediaType: string};
      return answer(target, 200, {...headers, 'content-type': mediaType}, found);
    },
  };
  return Object.assign(registry, {connection});
}
