import {subscribe, unsubscribe} from 'node:diagnostics_channel';
import type {ClientRequest} from 'node:http';
import {type Cases, containerOf, type Step} from '../case.ts';
import {ask, create, kill, line, logs, run, running, start, stop, until, wait} from '../steps.ts';

const written = line('echo one; echo two; echo three; printf four');
/** Which of the streams was read first is not known. */
const both = line('echo one; echo two >&2; echo three; printf four');

/** Resolves once the headers are there of the answer to a wait for the container: from then on no end is missed. */
function waitBegins(id: string): Promise<void> {
  const channel = 'http.client.response.finish';
  return new Promise((resolve) => {
    const look = (message: unknown) => {
      const {request} = message as {readonly request: ClientRequest};
      if (!request.path.includes(`/containers/${id}/wait`)) return;
      unsubscribe(channel, look);
      resolve();
    };
    subscribe(channel, look);
  });
}

/** Waits, begun before something happens, told after it has. */
function waitDuring(condition: 'not-running' | 'next-exit' | 'removed', ...during: readonly Step[]): Step {
  return ask(`wait ${condition}`, async (world) => {
    const container = containerOf(world, 'it');
    const begun = waitBegins(container.id);
    const waited = container.wait({condition}).then(
      (result) => [`${JSON.stringify(result)}`],
      (error: Error & {readonly kind?: string}) => [`${error.kind}`],
    );
    await begun;
    const steps: Record<string, readonly string[]> = {};
    for (const step of during) {
      const seen = await step.run(world);
      if (Array.isArray(seen)) steps[step.label] = seen as readonly string[];
    }
    return {...steps, waited: await waited};
  });
}

const reading: Cases = {
  'both streams': [both, logs()],
  'standard output': [both, logs({stdout: true, stderr: false})],
  'standard error': [both, logs({stdout: false, stderr: true})],
  'no stream': [written, logs({stdout: false, stderr: false})],
  'the last line': [written, logs({tail: 1})],
  'the last two lines': [written, logs({tail: 2})],
  'no line': [written, logs({tail: 0})],
  'all lines': [written, logs({tail: 'all'})],
  'more lines than there are': [written, logs({tail: 100})],
  'since the beginning': [written, logs({since: 1})],
  'since the future': [written, logs({since: 32_503_680_000})],
  'until the past': [written, logs({until: 1})],
  'until the future': [written, logs({until: 32_503_680_000})],
  'followed to the end': [
    create({Cmd: ['sh', '-c', 'for i in 1 2 3; do echo $i; done']}),
    start(),
    logs({follow: true}),
  ],
  'followed from the last line': [written, logs({follow: true, tail: 1})],
  'of a container that was only made': [create(), logs()],
  'followed of a container that was only made': [
    create({Cmd: ['echo', 'x']}),
    ask('followed', async ({containers}) => {
      const stream = await containers.get('it')?.logs({follow: true});
      await containers.get('it')?.start();
      const lines: string[] = [];
      for await (const {data} of stream ?? []) lines.push(Buffer.from(data).toString());
      await containers.get('it')?.wait();
      return lines;
    }),
  ],
  'of two runs': [create({Cmd: ['echo', 'again']}), start(), wait(), start(), wait(), logs()],
  'of a terminal': [line('echo one; echo two >&2; printf three', {Tty: true}), logs()],
  'long lines': [line('head -c 40000 /dev/zero | tr "\\0" x | sed "s/x\\{39990\\}/long/"; echo; echo end'), logs()],
  'a line of exactly a part': [
    line('head -c 16384 /dev/zero | tr "\\0" x | md5sum; head -c 16384 /dev/zero | tr "\\0" x; echo'),
  ],
  'empty lines': [line('echo; echo; echo x; echo'), logs({tail: 2})],
  'what is no text': [line("printf 'a\\000b\\377\\n\\033[1mc\\n'"), logs()],
  'of a driver that keeps none': [
    run({Cmd: ['echo', 'x'], HostConfig: {LogConfig: {Type: 'none', Config: {}}}}),
    logs(),
  ],
  'of the local driver': [
    line('echo one; echo two; printf three', {HostConfig: {LogConfig: {Type: 'local', Config: {}}}}),
    logs({tail: 2}),
  ],
};

const waiting: Cases = {
  'for the next exit, over a restart': [
    running(),
    waitDuring('next-exit', stop()),
    start(),
    until('ready', 'it', {times: 2}),
    waitDuring('next-exit', kill()),
  ],
  'for the next exit of one that has ended': [
    create({Cmd: ['sh', '-c', 'exit 4']}),
    start(),
    wait(),
    waitDuring('next-exit', start()),
  ],
  'for the end of one that runs': [running(), waitDuring('not-running', stop())],
  'for the end of one that was killed': [running(), waitDuring('not-running', kill('TERM'))],
  'for the removal of one that runs': [
    running(),
    waitDuring(
      'removed',
      ask('remove', async ({containers}) => await containers.get('it')?.remove({force: true})),
    ),
  ],
  'for the removal of one that has ended': [
    line('exit 3'),
    waitDuring(
      'removed',
      ask('remove', async ({containers}) => await containers.get('it')?.remove()),
    ),
  ],
  'for the removal of one that removes itself and cannot start': [
    create({Cmd: ['/no/such/program'], HostConfig: {AutoRemove: true}}),
    waitDuring(
      'removed',
      ask('start', async ({containers}) => {
        await containers
          .get('it')
          ?.start()
          .catch(() => undefined);
      }),
    ),
  ],
  'for the removal of one that removes itself': [
    create({Cmd: ['sh', '-c', 'exit 6'], HostConfig: {AutoRemove: true}}),
    waitDuring('removed', start()),
  ],
};

export const logsCases: Cases = reading;
export const waits: Cases = waiting;
