import {didYouMean, suggest} from '../../base/suggest.ts';
import {contextsBelow} from '../lower-build.ts';
import type {Span} from '../source.ts';
import {nodeAt, type Tree} from '../tree.ts';
import type {Service} from '../types.ts';
import {type CheckContext, dependencyPlace, place} from './check-context.ts';
import type {ReadStack} from './read.ts';

/** Names that a service uses and that lead nowhere, and the image that it has not. */
export function checkReferences(name: string, service: Service, stack: ReadStack, context: CheckContext): void {
  const {problems} = context;
  const where = `services.${name}`;
  const undefinedName = (kind: string, section: string, used: string, at: Span | undefined, known: object): void => {
    const all = nodeAt(context.tree, [section]);
    const reset = all?.kind === 'mapping' ? all.reset?.get(used) : undefined;
    const message = `${where}: the ${kind} "${used}" is not defined`;
    if (reset !== undefined) {
      problems.error(at, {
        code: 'undefined-name',
        message: `${message}, since !reset removes it`,
        hint: 'remove this use of it, or the !reset',
        related: {message: 'removed here', at: reset},
      });
      return;
    }
    problems.error(at, {
      code: 'undefined-name',
      message,
      hint: didYouMean(used, Object.keys(known)) ?? `define it below "${section}:" at the top level`,
    });
  };
  checkImage(name, service, context);
  for (const network of Object.keys(service.networks ?? {})) {
    if (network === 'default' || Object.hasOwn(stack.networks, network)) continue;
    undefinedName(
      'network',
      'networks',
      network,
      place(context, ['services', name, 'networks', network]),
      stack.networks,
    );
  }
  for (const [index, {type, source}] of (service.volumes ?? []).entries()) {
    if (type !== 'volume' || source === undefined || Object.hasOwn(stack.volumes, source)) continue;
    const at = place(context, ['services', name, 'volumes', index], 'value');
    const hint = didYouMean(source, Object.keys(stack.volumes));
    if (hint === undefined && source.includes('/')) {
      problems.error(at, {
        code: 'undefined-name',
        message: `${where}: the volume "${source}" is not defined`,
        hint: `a path begins with "./": write ./${source}`,
      });
    } else {
      undefinedName('volume', 'volumes', source, at, stack.volumes);
    }
  }
  for (const kind of ['configs', 'secrets'] as const) {
    for (const [index, {source}] of (service[kind] ?? []).entries()) {
      if (Object.hasOwn(stack[kind], source)) continue;
      undefinedName(
        kind.slice(0, -1),
        kind,
        source,
        place(context, ['services', name, kind, index], 'value'),
        stack[kind],
      );
    }
  }
  for (const [index, {source}] of (service.build?.secrets ?? []).entries()) {
    if (Object.hasOwn(stack.secrets, source)) continue;
    const at = place(context, ['services', name, 'build', 'secrets', index], 'value');
    undefinedName('secret', 'secrets', source, at, stack.secrets);
  }
  for (const {context: of, service: below} of contextsBelow(service.build ?? {})) {
    if (Object.hasOwn(stack.services, below)) continue;
    const at = place(context, ['services', name, 'build', 'additional_contexts', of], 'value');
    undefinedName('service', 'services', below, at, stack.services);
  }
  for (const model of Object.keys(service.models ?? {})) {
    if (Object.hasOwn(stack.models, model)) continue;
    undefinedName('model', 'models', model, place(context, ['services', name, 'models', model]), stack.models);
  }
  for (const dependency of Object.keys(service.depends_on ?? {})) {
    if (Object.hasOwn(stack.services, dependency)) continue;
    undefinedName(
      'service',
      'services',
      dependency,
      dependencyPlace(context, {name, service, dependency}).at,
      stack.services,
    );
  }
}

/** Where the name is only mistyped, or its value wrong, that has been told. */
function checkImage(name: string, service: Service, context: CheckContext): void {
  const services = context.tree.kind === 'mapping' ? context.tree.entries.get('services')?.value : undefined;
  const node = services?.kind === 'mapping' ? services.entries.get(name)?.value : undefined;
  if (service.image !== undefined || node?.kind !== 'mapping') return;
  const instead = [...node.entries.keys()].some(
    (key) => ['image', 'build', 'provider', 'extends'].includes(key) || suggest(key, ['image']) !== undefined,
  );
  if (instead) return;
  const reset = node.reset?.get('image');
  context.problems.error(place(context, ['services', name]), {
    code: 'missing-key',
    message: `services.${name}: "image" is missing${reset === undefined ? '' : ', since !reset removes it'}`,
    hint:
      reset === undefined ? `add image: NAME${otherService(name, services)}` : 'add image: NAME, or remove the !reset',
    related: reset === undefined ? undefined : {message: 'removed here', at: reset},
  });
}

/** What was to change a service of another file has no image where its name is not that one's. */
function otherService(name: string, services: Tree | undefined): string {
  if (services?.kind !== 'mapping') return '';
  const own = services.entries.get(name)?.key.source;
  const others = [...services.entries].filter(([, {key}]) => key.source !== own).map(([other]) => other);
  const meant = suggest(name, others) ?? (others.length === 1 ? others[0] : undefined);
  if (meant !== undefined) return `, or rename it "${meant}" if it should change that service`;
  return others.length === 0 ? '' : ', or correct its name if it should change a service of another file';
}
