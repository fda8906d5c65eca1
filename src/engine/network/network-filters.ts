import {checkFilters, knownFilters, matchesLabels} from '../../api/filters.ts';
import type {NetworkInspect} from '../../api/types/network.ts';
import type {Filters} from '../../api/types/system.ts';
import {TscomposeError} from '../../base/errors.ts';
import {isPredefined} from './predefined.ts';

/** Values of one filter are alternatives, except for labels; filters add up. Throws `invalid` for an unknown one. */
export function filterNetworks(networks: readonly NetworkInspect[], filters: Filters = {}): readonly NetworkInspect[] {
  checkFilters(filters, knownFilters.networks);
  const dangling = danglingOf(filters);
  const any = (key: string, matches: (value: string) => boolean) =>
    filters[key] === undefined || filters[key].length === 0 || filters[key].some(matches);
  return networks.filter(
    (network) =>
      any('name', (value) => network.Name.includes(value)) &&
      any('id', (value) => network.Id.includes(value)) &&
      any('driver', (value) => network.Driver === value) &&
      any('scope', (value) => network.Scope === value) &&
      any('type', (value) => value === (isPredefined(network.Name) ? 'builtin' : 'custom')) &&
      matchesLabels(network.Labels, filters['label']) &&
      (dangling === undefined || dangling === isDangling(network)),
  );
}

function isDangling(network: NetworkInspect): boolean {
  return !isPredefined(network.Name) && Object.keys(network.Containers).length === 0;
}

function danglingOf(filters: Filters): boolean | undefined {
  const [value] = filters['dangling'] ?? [];
  if (value === undefined) return undefined;
  if (['true', '1'].includes(value)) return true;
  if (['false', '0'].includes(value)) return false;
  throw new TscomposeError('invalid', `invalid filter 'dangling=${value}'`);
}
