import picocolors from 'picocolors';
import {systemClock} from '../../base/clock.ts';
import {exitCodes} from '../../base/errors.ts';
import {createRedraw} from '../../report/redraw.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {interrupted} from '../interrupted.ts';
import {listProjectContainers} from '../project-containers.ts';
import {withStackNames} from '../session.ts';
import {formatStats, parseStatsFormat, type StatsText} from '../stats/format.ts';
import {sampleUsage, type UsageSample} from '../stats/sample.ts';
import {terminalColumns} from '../terminal-columns.ts';

/** Between the two samples of one answer: long enough for the kernel's clock, whose ticks are 10 ms. */
const onceMs = 500;
const liveMs = 1000;

export function runStats(context: CliContext, {args, flags}: Input<'stats'>): Promise<number> {
  const format = parseStatsFormat(flags.format);
  return withStackNames(context, async ({name, docker, knownServices}) => {
    const abort = new AbortController();
    using _interrupt = context.onInterrupt(() => abort.abort());
    const once = flags['no-stream'];
    const samples = sampleUsage({
      docker,
      list: () => listProjectContainers(docker, {project: name, services: args, all: flags.all, known: knownServices}),
      clock: systemClock(context.now),
      signal: abort.signal,
      intervalMs: once ? onceMs : liveMs,
    });
    const text = () => ({format, wholeIds: flags['no-trunc'], columns: terminalColumns(context)});
    if (once) {
      const measured = await second(samples);
      if (measured !== undefined) context.stdout.write(formatStats(measured, text()));
    } else if (terminalColumns(context) !== undefined && context.env['TERM'] !== 'dumb') {
      await redrawEach(context, samples, text);
    } else await printEach(context, samples, text());
    return abort.signal.aborted ? interrupted(context) : exitCodes.success;
  });
}

/** The first has no processor time yet. Undefined after an interrupt. */
async function second(samples: AsyncGenerator<readonly UsageSample[]>): Promise<readonly UsageSample[] | undefined> {
  await samples.next();
  const {value} = await samples.next();
  return value ?? undefined;
}

/** In place, as high and as wide as the terminal is at the moment. */
async function redrawEach(
  {stdout, color}: CliContext,
  samples: AsyncIterable<readonly UsageSample[]>,
  text: () => StatsText,
): Promise<void> {
  const {bold, dim} = picocolors.createColors(color(stdout));
  const redraw = createRedraw(stdout);
  for await (const sample of samples) {
    const {format, columns = 80, wholeIds} = text();
    // The last column stays free: what clears the rest of a line would clear it.
    const lines = formatStats(sample, {format, wholeIds, columns: columns - 1})
      .split('\n')
      .slice(0, -1);
    const room = Math.max(2, stdout.rows - 1);
    const shown =
      lines.length <= room ? lines : [...lines.slice(0, room - 1), dim(`… ${lines.length - room + 1} more`)];
    const [head = '', ...rows] = shown;
    const isTitled = format.kind === 'table';
    const none = sample.length === 0 && isTitled ? [dim('nothing runs')] : [];
    redraw([isTitled ? bold(head) : head, ...rows, ...none]);
  }
}

/** For files and programs: lines go on for ever; tables are told apart by an empty line. */
async function printEach(
  {stdout}: CliContext,
  samples: AsyncGenerator<readonly UsageSample[]>,
  text: StatsText,
): Promise<void> {
  await samples.next();
  let isFirst = true;
  for await (const sample of samples) {
    const isTable = text.format.kind === 'table' || (text.format.kind === 'template' && text.format.template.isTable);
    stdout.write(`${isTable && !isFirst ? '\n' : ''}${formatStats(sample, text)}`);
    isFirst = false;
  }
}
