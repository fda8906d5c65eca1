import type {ContainerInspect} from '../../src/api/types/container.ts';
import type {ExecInspect} from '../../src/api/types/exec.ts';
import {TscomposeError} from '../../src/base/errors.ts';
import type {Attachment, Engine, OutputChunk} from '../../src/engine/engine.ts';

type Parts = {readonly [K in keyof Engine]?: Partial<Engine[K]>};

/** An engine of which only the given methods exist: a call of any other fails the test. */
export function fakeEngine(parts: Parts = {}): Engine {
  const part = <K extends keyof Engine>(name: K): Engine[K] =>
    new Proxy((parts[name] ?? {}) as object, {
      get: (target, method) =>
        Reflect.get(target, method) ??
        (() => {
          throw new Error(`not expected: ${name}.${String(method)}`);
        }),
    }) as Engine[K];
  return {
    containers: part('containers'),
    execs: part('execs'),
    networks: part('networks'),
    volumes: part('volumes'),
    images: part('images'),
    registry: part('registry'),
    builds: part('builds'),
    hosting: part('hosting'),
    system: part('system'),
    locks: part('locks'),
    close: async () => {},
  };
}

/** As much of an inspection as the server reads. */
export function inspected(config: {readonly Tty?: boolean} = {}): ContainerInspect {
  return {Id: 'c0ffee', Config: config, State: {Running: true}, HostConfig: {}} as ContainerInspect;
}

export function inspectedExec(tty = false): ExecInspect {
  return {
    ID: 'e1',
    ProcessConfig: {tty, entrypoint: 'cat', arguments: [], privileged: false},
  } as unknown as ExecInspect;
}

export function notFound(reference: string): TscomposeError {
  return new TscomposeError('notFound', `no such container: ${reference}`);
}

/** A process like `cat`: it writes what it reads, and "bye" to standard error once its input has ended. */
export interface Cat extends Attachment {
  readonly written: readonly string[];
  readonly detached: boolean;
}

export function cat(greeting?: string): Cat {
  const queue: (OutputChunk | undefined)[] = [];
  const written: string[] = [];
  let wake = () => {};
  let detached = false;
  const put = (...chunks: (OutputChunk | undefined)[]) => {
    queue.push(...chunks);
    wake();
  };
  if (greeting !== undefined) put({stream: 'stdout', data: Buffer.from(greeting)});
  const output = async function* (): AsyncGenerator<OutputChunk> {
    for (;;) {
      while (queue.length > 0) {
        const chunk = queue.shift();
        if (chunk === undefined) return;
        yield chunk;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return {
    written,
    get detached() {
      return detached;
    },
    output: output(),
    write: async (data) => {
      written.push(Buffer.from(data).toString());
      put({stream: 'stdout', data: Buffer.from(data)});
    },
    closeInput: async () => put({stream: 'stderr', data: Buffer.from('bye')}, undefined),
    resize: async () => {},
    detach: () => {
      detached = true;
      put(undefined);
    },
  };
}
