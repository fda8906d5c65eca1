import {restartUnhealthyLabel} from '../api/labels.ts';
import type {Json} from '../base/canonical-json.ts';
import {didYouMean} from '../base/suggest.ts';
import type {Problems} from './problems.ts';
import {isNull, type Tree} from './tree.ts';
import type {Service} from './types.ts';

/**
 * What a service may say below `x-tscompose`: options that other programs pass over. A row is one: what it becomes as labels
 * of the container, since an engine reads nothing else of ours.
 */
const options = {
  /** Ended and started again when its health check fails, as if it had failed itself. */
  restart_unhealthy: {labels: (value: boolean) => (value ? {[restartUnhealthyLabel]: 'true'} : {})},
} as const;

const optionsHint = `the options are ${Object.keys(options).join(', ')}`;

/** The member of a service that holds them. */
export const ownMember = 'x-tscompose';

/** Reports what is no option of ours, and values that are none. */
export function checkOwnOptions(service: Tree, where: string, problems: Problems): void {
  const node = service.kind === 'mapping' ? service.entries.get(ownMember)?.value : undefined;
  if (node === undefined || isNull(node)) return;
  const place = `${where}.${ownMember}`;
  if (node.kind !== 'mapping') {
    problems.error(node.at, {code: 'wrong-type', message: `${place}: expected a mapping`, hint: optionsHint});
    return;
  }
  for (const [name, {key, value}] of node.entries) {
    if (!Object.hasOwn(options, name)) {
      const hint = didYouMean(name, Object.keys(options)) ?? optionsHint;
      problems.error(key, {code: 'unknown-key', message: `${place}: unknown option "${name}"`, hint});
    } else if (value.kind !== 'scalar' || typeof value.value !== 'boolean') {
      problems.error(value.at, {
        code: 'wrong-type',
        message: `${place}.${name}: expected true or false`,
        hint: `write ${name}: true`,
      });
    }
  }
}

/** What a checked service states of them. */
export function ownOptions({extensions}: Service): Readonly<Record<string, Json>> {
  const stated = extensions?.[ownMember];
  return typeof stated === 'object' && stated !== null && !Array.isArray(stated)
    ? (stated as Readonly<Record<string, Json>>)
    : {};
}

/** The labels that tell an engine of them. */
export function ownLabels(service: Service): Readonly<Record<string, string>> {
  const labels = Object.entries(ownOptions(service)).map(([name, value]) =>
    Object.hasOwn(options, name) ? options[name as keyof typeof options].labels(value === true) : {},
  );
  return Object.assign({}, ...labels);
}
