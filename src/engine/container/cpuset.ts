import type {HostConfig} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {LimitSupport} from './limit-support.ts';

/** Docker's bound: more than any kernel has. */
const highest = 8192;

/** Throws `invalid` for a list that cannot be read, or that names what the machine does not have. */
export function checkCpuset({CpusetCpus = '', CpusetMems = ''}: HostConfig, machine: LimitSupport): void {
  checkList(CpusetCpus, machine.cpus, {short: 'cpus', long: 'CPUs'});
  checkList(CpusetMems, machine.mems, {short: 'mems', long: 'memory nodes'});
}

function checkList(
  list: string,
  available: string,
  {short, long}: {readonly short: string; readonly long: string},
): void {
  const fail = (reason: string) =>
    new TscomposeError('invalid', `Invalid value ${list} for cpuset ${short}: ${reason}`);
  const wanted = parseList(list);
  if (wanted === undefined) throw fail(`invalid format: ${list}`);
  if (wanted.some(({last}) => last > highest)) throw fail(`value of out range, maximum is ${highest}`);
  const has = parseList(available) ?? [];
  const isThere = (number: number) => has.some(({first, last}) => number >= first && number <= last);
  for (const {first, last} of wanted) {
    for (let number = first; number <= last; number++) {
      if (isThere(number)) continue;
      throw new TscomposeError(
        'invalid',
        `Requested ${long} are not available - requested ${list}, available: ${available}`,
      );
    }
  }
}

interface Range {
  readonly first: number;
  readonly last: number;
}

/** `0-2,4` (cpuset(7), "List format"); undefined for anything else. */
export function parseList(text: string): readonly Range[] | undefined {
  if (text === '') return [];
  const ranges = text.split(',').map((part): Range | undefined => {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    return first === undefined || Number(last) < Number(first) ? undefined : {first: Number(first), last: Number(last)};
  });
  return ranges.some((range) => range === undefined) ? undefined : ranges.filter((range) => range !== undefined);
}
