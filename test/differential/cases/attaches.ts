import type {AttachOptions} from '../../../src/client/container.ts';
import type {ProcessStream} from '../../../src/client/process-stream.ts';
import {type Cases, containerOf, type Seen, type Step} from '../case.ts';
import {outputLines} from '../output-lines.ts';
import {ask, create, goes, kill, line, pause, remove, running, start, stop, unpause, until, wait} from '../steps.ts';

interface Attached extends AttachOptions {
  /** Typed at once; then the input is over: at once, unless `ends` says when the steps were taken, or never. */
  readonly input?: string;
  readonly ends?: 'later' | 'never';
}

/** Attaches, then takes the steps, then tells what came until the connection ended. */
function attach({input, ends, ...options}: Attached = {}, ...during: readonly Step[]): Step {
  return ask('attach', async (world) => {
    const stream = await containerOf(world, 'it').attach(options);
    const output = outputLines(stream.output);
    if (input !== undefined) await type(stream, input);
    if (ends === undefined) stream.stdin.end();
    const steps: Record<string, readonly string[]> = {};
    for (const step of during) {
      const seen = await step.run(world);
      for (const [name, lines] of Object.entries(Array.isArray(seen) ? {answer: seen} : (seen as Seen)))
        steps[`${step.label} ${name}`] = lines as readonly string[];
    }
    if (ends === 'later') stream.stdin.end();
    return {...steps, ...(await output)};
  });
}

async function type(stream: ProcessStream, text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    stream.stdin.once('error', reject);
    stream.stdin.write(text, () => resolve());
  });
}

/** Says `ready` when it reads. */
const reader = (text: string) => ['sh', '-c', `echo ready; ${text}`];
const open = {OpenStdin: true, StdinOnce: true};
const terminal = {...open, Tty: true};

const before: Cases = {
  'before its start': [create({Cmd: ['sh', '-c', 'echo out; echo err >&2; exit 3']}), attach({}, start()), wait()],
  'before its start, to the output': [
    create({Cmd: ['sh', '-c', 'echo out; echo err >&2']}),
    attach({stdout: true}, start()),
    wait(),
  ],
  'before its start, to the errors': [
    create({Cmd: ['sh', '-c', 'echo out; echo err >&2']}),
    attach({stderr: true}, start()),
    wait(),
  ],
  'before its start, with an input': [
    create({...open, Cmd: ['cat']}),
    attach({stdin: true, input: 'one\ntwo'}, start()),
    wait(),
  ],
  'before its start, with an input of nothing': [
    create({...open, Cmd: ['cat']}),
    attach({stdin: true, input: ''}, start()),
    wait(),
  ],
  'before its start, to a terminal': [
    create({Tty: true, Cmd: ['sh', '-c', 'tty; echo err >&2; exit 4']}),
    attach({}, start()),
    wait(),
  ],
  'before a start that fails': [create({Cmd: ['/no/such/program']}), attach({}, start()), wait()],
  'before a second run': [...line('echo run'), attach({}, start()), wait()],
  'with the log of an earlier run': [...line('echo run'), attach({logs: true}, start()), wait()],
  'before its end by a kill': [
    create({Cmd: ['sh', '-c', 'echo ready; sleep 1000']}),
    attach({}, start(), until('ready'), kill()),
    wait(),
  ],
  'it removes itself': [
    create({Cmd: ['sh', '-c', 'echo last words; exit 3'], HostConfig: {AutoRemove: true}}),
    attach({}, start()),
    goes(),
  ],
  'no log, and yet attached': [
    create({Cmd: ['echo', 'heard'], HostConfig: {LogConfig: {Type: 'none', Config: {}}}}),
    attach({}, start()),
    wait(),
  ],
};

const after: Cases = {
  'to what was written already': [...line('echo out; echo err >&2; exit 3'), attach({logs: true, stream: false})],
  'to the errors that were written already': [
    ...line('echo out; echo err >&2'),
    attach({logs: true, stream: false, stderr: true}),
  ],
  'to nothing': [...running(), attach({stdout: false})],
  'to neither the log nor what comes': [...running(), attach({stream: false})],
  'until its end': [...running(), attach({}, stop()), wait()],
  'with the log, until its end': [...running(), attach({logs: true}, stop()), wait()],
  'with an input, to its end': [
    create({...open, Cmd: reader('read x; echo "got $x"; exit 6')}),
    ...[start(), until('ready'), attach({stdin: true, input: 'word\n'}), wait()],
  ],
  'with an input that is not open': [
    create({Cmd: reader('trap "exit 5" TERM; read x || echo nothing; sleep 1000 & wait')}),
    ...[start(), until('nothing'), attach({stdin: true, input: 'word\n', ends: 'never'}, stop()), wait()],
  ],
  'with an input that stays open': [
    create({OpenStdin: true, Cmd: reader('read x; echo "got $x"; read y; echo "and $y"')}),
    ...[start(), until('ready')],
    attach({stdin: true, input: 'one\n', ends: 'later'}, until('got one')),
    attach({stdin: true, input: 'two\n', ends: 'never'}),
    wait(),
  ],
  'to a terminal': [
    create({...terminal, Cmd: ['sh', '-c', 'stty -echo; echo ready; read x; echo "got $x"; exit 6']}),
    ...[start(), until('ready'), attach({stdin: true, input: 'word\n', ends: 'never'}), wait()],
  ],
  'to a terminal, by the keys that let go': [
    create({...terminal, Cmd: ['sh', '-c', 'stty -echo; echo ready; read x; echo "got $x"']}),
    ...[start(), until('ready')],
    attach({stdin: true, input: '\x10\x11', ends: 'never'}),
    attach({stdin: true, input: 'word\n', ends: 'never'}),
    wait(),
  ],
  'to a terminal, by other keys that let go': [
    create({...terminal, Cmd: ['sh', '-c', 'stty -echo; echo ready; read x; echo "got $x"']}),
    ...[start(), until('ready')],
    attach({stdin: true, detachKeys: 'ctrl-a,b', input: '\x01b', ends: 'never'}),
    attach({stdin: true, input: 'word\n', ends: 'never'}),
    wait(),
  ],
  'by keys that are none': [...running(), attach({detachKeys: 'no-such'})],
  'to one that has ended': [
    ...line('echo run; exit 3'),
    attach({logs: true, stream: false}),
    attach({logs: true}, start()),
    wait(),
  ],
  'to one that is paused': [...running(), pause(), attach({}), unpause()],
  'to one that is gone': [...line('true'), remove(), attach()],
  twice: [...running(), attach({}, attach({stream: false, logs: true}), stop()), wait()],
};

export const attaches: Cases = {...before, ...after};
