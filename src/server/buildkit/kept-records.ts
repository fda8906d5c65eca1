import type {BuildPruning} from '../../api/types/prune.ts';
import type {BuildCacheRow} from '../../api/types/system.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {Builds} from '../../engine/engine.ts';
import {timestamp} from './build-status.ts';
import type {Message, MessageInput} from './messages.ts';

/** What builds keep, of what these filters choose (`docker buildx du`). Throws `invalid` for a filter that is none. */
export async function diskUsage(
  builds: Pick<Builds, 'usage'>,
  filters: readonly string[],
): Promise<MessageInput<'DiskUsageResponse'>> {
  const {matches} = readFilters(filters);
  return {record: (await builds.usage()).filter(matches).map(recordOf)};
}

/** Removes it (`docker buildx prune`), and answers what it was: a cache mount only where it is meant by name, or all is. */
export async function pruneKept(
  builds: Pick<Builds, 'usage' | 'prune'>,
  request: Message<'PruneRequest'>,
): Promise<readonly MessageInput<'UsageRecord'>[]> {
  const {all, keepDuration, reservedSpace, maxUsedSpace, minFreeSpace} = request;
  const {matches, isEmpty, namesMounts} = readFilters(request.filter);
  const rows = await builds.usage();
  const chosen = rows.filter((row) => matches(row) && (all || namesMounts || row.Type !== 'exec.cachemount'));
  if (chosen.length === 0) return [];
  const filters: BuildPruning['filters'] = {
    ...(isEmpty ? {} : {id: chosen.map(({ID}) => ID)}),
    ...(keepDuration > 0 ? {until: [`${Math.ceil(keepDuration / 1e6)}ms`]} : {}),
  };
  const {CachesDeleted} = await builds.prune({all, filters, reservedSpace, maxUsedSpace, minFreeSpace});
  const gone = new Set(CachesDeleted);
  return rows.filter(({ID}) => gone.has(ID)).map(recordOf);
}

function recordOf(row: BuildCacheRow): MessageInput<'UsageRecord'> {
  const time = (text: string | null) => (text === null ? undefined : timestamp(Date.parse(text)));
  return {
    ...{id: row.ID, size: row.Size, inUse: row.InUse, shared: row.Shared, mutable: row.Type !== 'regular'},
    ...{createdAt: time(row.CreatedAt), lastUsedAt: time(row.LastUsedAt), usageCount: row.UsageCount},
    ...{description: row.Description, recordType: row.Type},
  };
}

type Matches = (row: BuildCacheRow) => boolean;

interface RowFilters {
  readonly matches: Matches;
  readonly isEmpty: boolean;
  /** One of them is for cache mounts, or for something by its name. */
  readonly namesMounts: boolean;
}

/** Conditions as containerd writes them, those of one text all to be met: `type==regular,id~=^ab,inuse`. */
const condition = /^(\w+)(?:(==|!=|~=)(?:"((?:[^"\\]|\\.)*)"|([^",]*)))?(?:,|$)/;

function readFilters(filters: readonly string[]): RowFilters {
  const given = filters.filter((text) => text !== '');
  let namesMounts = false;
  const lists = given.map((text) => {
    const list: Matches[] = [];
    for (let rest = text; rest !== ''; ) {
      const [whole, field = '', operator, quoted, bare = ''] = condition.exec(rest) ?? [];
      if (whole === undefined) throw new TscomposeError('invalid', `filter "${text}" cannot be read at "${rest}"`);
      const value = quoted === undefined ? bare : quoted.replace(/\\(.)/g, '$1');
      namesMounts ||= field === 'id' || (field === 'type' && value === 'exec.cachemount');
      list.push(matcherOf(field, operator, value));
      rest = rest.slice(whole.length);
    }
    return list;
  });
  return {
    matches: (row) => lists.length === 0 || lists.some((list) => list.every((one) => one(row))),
    isEmpty: lists.length === 0,
    namesMounts,
  };
}

function matcherOf(field: string, operator: string | undefined, value: string): Matches {
  const read = fields[field];
  if (read === undefined) {
    throw new TscomposeError('invalid', `filter "${field}" is not known`, {
      hint: `what there is: ${Object.keys(fields).join(', ')}`,
    });
  }
  if (operator === undefined) return (row) => read(row) === 'true';
  if (operator === '==') return (row) => read(row) === value;
  if (operator === '!=') return (row) => read(row) !== value;
  const pattern = patternOf(value);
  return (row) => pattern.test(read(row));
}

function patternOf(value: string): RegExp {
  try {
    return new RegExp(value);
  } catch (cause) {
    throw new TscomposeError('invalid', `filter "${value}" is no regular expression`, {cause});
  }
}

const fields: Readonly<Record<string, (row: BuildCacheRow) => string>> = {
  id: ({ID}) => ID,
  type: ({Type}) => Type,
  description: ({Description}) => Description,
  inuse: ({InUse}) => String(InUse),
  shared: ({Shared}) => String(Shared),
  private: ({Shared}) => String(!Shared),
  mutable: ({Type}) => String(Type !== 'regular'),
  immutable: ({Type}) => String(Type === 'regular'),
};
