import type {Transform} from 'node:stream';
import type {ProcessStream} from '../client/process-stream.ts';
import type {CliContext} from './context.ts';

export interface JoinOptions {
  readonly stream: ProcessStream;
  /** Hand over what is typed, through a filter where one is given. */
  readonly input: boolean | Transform;
  /** The end of what is typed ends the process's input too; else somebody may go on later. */
  readonly endsInput: boolean;
  /** The process has a terminal of its own: every key goes to it, and it is told of each new size. */
  readonly resize?: (size: {readonly h: number; readonly w: number}) => Promise<void>;
}

/** Joins the streams of a process with those of this command, until its output ends. */
export async function joinProcess(context: CliContext, {stream, input, endsInput, resize}: JoinOptions): Promise<void> {
  const {stdin, stdout, stderr} = context;
  const isRaw = resize !== undefined && input !== false && stdin.isTTY === true;
  const onResize = (): void => void resize?.({h: stdout.rows, w: stdout.columns}).catch(() => {});
  if (isRaw) stdin.setRawMode(true);
  if (resize !== undefined) stdout.on('resize', onResize);
  // A process that ended closes its side; what is typed after that goes nowhere.
  stream.stdin.on('error', () => {});
  const typed = typeof input === 'boolean' ? stream.stdin : input;
  if (typed !== stream.stdin) typed.pipe(stream.stdin, {end: endsInput});
  if (input !== false) stdin.pipe(typed, {end: endsInput});
  try {
    for await (const chunk of stream.output) {
      const out = chunk.stream === 'stderr' ? stderr : stdout;
      if (!out.write(chunk.data)) await new Promise((resolve) => out.once('drain', resolve));
    }
  } finally {
    if (input !== false) {
      stdin.unpipe(typed);
      stdin.pause();
    }
    if (isRaw) stdin.setRawMode(false);
    stdout.off('resize', onResize);
  }
}
