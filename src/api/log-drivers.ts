/** What chooses labels and variables that a log carries. */
const attributes = ['labels', 'labels-regex', 'env', 'env-regex'];
/** Of the file that stands in where a driver keeps no log of its own. */
const cache = ['cache-disabled', 'cache-max-size', 'cache-max-file', 'cache-compress'];
const mode = ['mode', 'max-buffer-size'];
const file = ['max-size', 'max-file', 'compress'];

/** The log drivers of the built-in engine and their options, as Docker names them. `none` takes any and heeds none. */
export const logDriverOptions = {
  'json-file': [...file, ...mode, 'tag', ...attributes],
  local: [...file, ...mode],
  syslog: ['syslog-address', 'syslog-facility', 'syslog-format', 'tag', ...attributes, ...cache, ...mode],
  journald: ['tag', ...attributes, ...cache, ...mode],
  none: undefined,
} as const satisfies Readonly<Record<string, readonly string[] | undefined>>;

export type LogDriver = keyof typeof logDriverOptions;

export const logDrivers = Object.keys(logDriverOptions).sort() as readonly LogDriver[];

export function isLogDriver(name: string): name is LogDriver {
  return Object.hasOwn(logDriverOptions, name);
}
