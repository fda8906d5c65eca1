import {TscomposeError} from '../base/errors.ts';
import {formatFilters, parseFilters} from './filters.ts';
import type {WaitCondition} from './types/container.ts';
import type {Filters} from './types/system.ts';

/** One query parameter: how a value is written into a URL, and read from one. `parse` throws `invalid`. */
export interface Parameter<T> {
  /** `values`: every occurrence, at least one. */
  parse(values: readonly string[], name: string): T;
  format(value: T): string | readonly string[];
}

export const text: Parameter<string> = {
  parse: (values) => values[0] ?? '',
  format: (value) => value,
};

/** A parameter that may occur several times. */
export const texts: Parameter<readonly string[]> = {
  parse: (values) => values,
  format: (value) => value,
};

/** True for anything but an empty value, `0`, `no`, `false` and `none`, as the Engine API reads it. */
export const flag: Parameter<boolean> = {
  parse: (values) => !['', '0', 'no', 'false', 'none'].includes((values[0] ?? '').trim().toLowerCase()),
  format: (value) => (value ? '1' : '0'),
};

export const integer: Parameter<number> = {
  parse: (values, name) => {
    const value = values[0] ?? '';
    if (!/^-?\d{1,15}$/.test(value))
      throw new TscomposeError('invalid', `parameter "${name}": "${value}" is not a whole number`);
    return Number(value);
  },
  format: (value) => value.toFixed(0),
};

/** Unix seconds with an optional fraction of up to nine digits; an empty value reads as 0. */
export const unixTime: Parameter<number> = {
  parse: (values, name) => {
    const value = values[0] ?? '';
    if (value === '') return 0;
    if (!/^\d{1,12}(\.\d{1,9})?$/.test(value)) {
      throw new TscomposeError('invalid', `parameter "${name}": "${value}" is not a time in unix seconds`);
    }
    return Number(value);
  },
  format: (value) => (Number.isInteger(value) ? value.toFixed(0) : value.toFixed(9)),
};

/** How many lines from the end: `all`, nothing or a negative number mean every line. */
export const tail: Parameter<number | 'all'> = {
  parse: (values, name) => {
    const value = values[0] ?? '';
    if (value === '' || value === 'all') return 'all';
    const lines = integer.parse(values, name);
    return lines < 0 ? 'all' : lines;
  },
  format: (value) => String(value),
};

export const filters: Parameter<Filters> = {
  parse: (values) => parseFilters(values[0] ?? ''),
  format: formatFilters,
};

/** What a wait is for: until it does not run, unless stated. */
export const waitCondition: Parameter<WaitCondition> = {
  parse: ([value = '']) => {
    const found = waitConditions.find((condition) => condition === (value || 'not-running'));
    if (found !== undefined) return found;
    throw new TscomposeError('invalid', `invalid condition: "${value}"`, {hint: `use ${waitConditions.join(', ')}`});
  },
  format: (value) => value,
};
const waitConditions = ['not-running', 'next-exit', 'removed'] as const;

/** `linux/arm64/v8`; the Docker CLI sends it as JSON (`{"os":"linux","architecture":"arm64","variant":"v8"}`). */
export const platformParameter: Parameter<string> = {
  parse: ([value = ''], name) => {
    if (!value.startsWith('{')) return value;
    try {
      const {os, architecture, variant} = JSON.parse(value) as Readonly<Record<string, unknown>>;
      return [os, architecture, variant].filter((part) => typeof part === 'string' && part !== '').join('/');
    } catch (cause) {
      throw new TscomposeError('invalid', `parameter "${name}" is no platform: ${value}`, {cause});
    }
  },
  format: (value) => {
    const parts = value.split('/');
    // In its members too much would be left out, and nothing at all would be filled in.
    if (parts.length > 3 || (value !== '' && parts.includes('')))
      throw new TscomposeError('invalid', `invalid platform "${value}": it reads os/architecture[/variant]`);
    const isArchitecture = parts.length === 1 && !['', 'linux', 'windows'].includes(value);
    const [os = '', architecture = '', variant] = isArchitecture ? ['linux', value] : parts;
    return JSON.stringify({os, architecture, ...(variant === undefined ? {} : {variant})});
  },
};

/** Several, each an occurrence of its own. */
export const platformsParameter: Parameter<readonly string[]> = {
  parse: (values, name) => values.map((value) => platformParameter.parse([value], name)),
  format: (values) => values.flatMap((value) => platformParameter.format(value)),
};

/** One of a few words. */
export function oneOf<const T extends string>(...choices: readonly T[]): Parameter<T> {
  return {
    parse: (values, name) => {
      const found = choices.find((choice) => choice === values[0]);
      if (found !== undefined) return found;
      throw new TscomposeError(
        'invalid',
        `parameter "${name}": "${values[0] ?? ''}" is not one of ${choices.join(', ')}`,
      );
    },
    format: (value) => value,
  };
}
