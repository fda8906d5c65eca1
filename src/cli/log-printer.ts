import {StringDecoder} from 'node:string_decoder';
import stringWidth from 'fast-string-width';
import picocolors from 'picocolors';
import {safeForTerminal} from './terminal-text.ts';

export interface LogPrinterOptions {
  readonly out: NodeJS.WriteStream;
  readonly color: boolean;
  /** Print `name | ` before each line. */
  readonly prefix: boolean;
  readonly timestamps: boolean;
}

export interface LogPrinter {
  /** Announces a container, so that all prefixes are equally wide from the start. */
  add(name: string): void;
  /** Output of a container as it arrives: pieces of lines are held until the line ends. */
  print(name: string, stream: 'stdout' | 'stderr', data: Uint8Array, time?: string): void;
  /** A line of ours about a container: `web-1 exited with code 0`. */
  note(text: string): void;
  /** Prints what a container left without a line feed. */
  flush(name: string): void;
}

const paints = [
  'cyan',
  'yellow',
  'green',
  'magenta',
  'blue',
  'cyanBright',
  'yellowBright',
  'greenBright',
  'magentaBright',
  'blueBright',
] as const;

/** Merges the output of several containers into one stream of whole lines with coloured prefixes. */
export function createLogPrinter(options: LogPrinterOptions): LogPrinter {
  const colors = picocolors.createColors(options.color);
  const names: string[] = [];
  const pending = new Map<string, {readonly decoder: StringDecoder; text: string}>();
  let width = 0;

  const add = (name: string): void => {
    if (names.includes(name)) return;
    names.push(name);
    width = Math.max(width, stringWidth(name));
  };
  const prefixOf = (name: string): string => {
    if (!options.prefix) return '';
    const paint = paints[names.indexOf(name) % paints.length] ?? 'cyan';
    return colors[paint](`${name}${' '.repeat(width - stringWidth(name))}  | `);
  };
  const writeLine = (name: string, line: string, time?: string): void => {
    const text = options.out.isTTY === true ? safeForTerminal(line, options.color) : line;
    options.out.write(`${prefixOf(name)}${options.timestamps && time !== undefined ? `${time} ` : ''}${text}\n`);
  };
  return {
    add,
    print(name, stream, data, time) {
      add(name);
      const key = `${name}\0${stream}`;
      const state = pending.get(key) ?? {decoder: new StringDecoder('utf8'), text: ''};
      pending.set(key, state);
      state.text += state.decoder.write(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
      const lines = state.text.split('\n');
      state.text = lines.pop() ?? '';
      for (const line of lines) writeLine(name, line, time);
    },
    note(text) {
      options.out.write(`${colors.dim(text)}\n`);
    },
    flush(name) {
      for (const stream of ['stdout', 'stderr']) {
        const state = pending.get(`${name}\0${stream}`);
        if (state !== undefined && state.text !== '') writeLine(name, state.text);
        pending.delete(`${name}\0${stream}`);
      }
    },
  };
}
