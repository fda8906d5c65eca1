import type {ImageProgress} from '../api/types/image.ts';
import {cut} from '../report/cells.ts';
import {createRedraw} from '../report/redraw.ts';
import type {CliContext} from './context.ts';
import {humanSize} from './size.ts';

/** Shows lines of a pull or push as they come. */
export interface TransferLines {
  show(line: ImageProgress): void;
}

/**
 * On a terminal each layer has a line that changes in place; elsewhere what a layer comes to is printed once, without the
 * bytes in between.
 */
export function transferLines({stdout}: Pick<CliContext, 'stdout'>): TransferLines {
  return stdout.isTTY === true ? liveLines(stdout) : plainLines(stdout);
}

function plainLines(stdout: NodeJS.WriteStream): TransferLines {
  const last = new Map<string, string>();
  return {
    show({status, id, progressDetail}) {
      if (status === undefined) return;
      const isCounting = progressDetail?.current !== undefined;
      if (isCounting || (id !== undefined && last.get(id) === status)) return;
      if (id !== undefined) last.set(id, status);
      stdout.write(id === undefined ? `${status}\n` : `${id}: ${status}\n`);
    },
  };
}

function liveLines(stdout: NodeJS.WriteStream): TransferLines {
  const redraw = createRedraw(stdout);
  const layers = new Map<string, string>();
  const draw = () => {
    const lines = [...layers].map(([id, text]) => cut(`${id}: ${text}`, Math.max(1, stdout.columns - 1)));
    // More than fit: the last ones are those that still change.
    redraw(lines.slice(-Math.max(1, stdout.rows - 2)));
  };
  return {
    show({status, id, progressDetail}) {
      if (status === undefined) return;
      if (id === undefined || progressDetail === undefined) {
        // It stays above the layers, which are drawn anew below it.
        redraw([]);
        stdout.write(id === undefined ? `${status}\n` : `${id}: ${status}\n`);
        draw();
        return;
      }
      layers.set(id, `${status}${amount(progressDetail)}`);
      draw();
    },
  };
}

function amount({current, total}: NonNullable<ImageProgress['progressDetail']>): string {
  if (current === undefined) return '';
  if (total === undefined || total === 0) return ` ${humanSize(current)}`;
  return ` ${bar(current / total)} ${humanSize(current)}/${humanSize(total)}`;
}

const barWidth = 30;

function bar(part: number): string {
  const filled = Math.round(Math.min(1, part) * barWidth);
  return `[${'='.repeat(filled)}${' '.repeat(barWidth - filled)}]`;
}
