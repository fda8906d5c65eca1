import type {ImageSearchResult} from '../../api/types/image.ts';
import {exitCodes, TscomposeError} from '../../base/errors.ts';
import {splitTerm} from '../../engine/registry/search-term.ts';
import type {CliContext} from '../context.ts';
import {authOf, findOrWarn} from '../credentials.ts';
import type {Input} from '../flags.ts';
import {onlyArgument} from '../only-argument.ts';
import {formatRows, parseRowTemplate} from '../row-template.ts';
import {warnOnce, withEngine} from '../session.ts';
import {formatTable} from '../table.ts';
import {terminalColumns} from '../terminal-columns.ts';

const titles = {
  Name: 'NAME',
  Description: 'DESCRIPTION',
  StarCount: 'STARS',
  IsOfficial: 'OFFICIAL',
  IsAutomated: 'AUTOMATED',
};
const descriptionMax = 45;

export function runEngineSearch(context: CliContext, {args, flags}: Input<'engine search'>): Promise<number> {
  const term = onlyArgument('engine search', args);
  const template =
    flags.format === undefined || flags.format === 'table'
      ? undefined
      : parseRowTemplate(flags.format, Object.keys(titles));
  return withEngine(context, async (docker) => {
    const {registry} = splitTerm(term);
    const known = await findOrWarn(context, {registry}, warnOnce(context));
    const results = await docker.searchImages({
      term,
      limit: flags.limit,
      filters: parseConditions(flags.filter),
      authconfig: known && authOf(known, registry),
    });
    context.stdout.write(
      template === undefined
        ? table(context, results, flags['no-trunc'])
        : formatRows(
            template,
            results.map((result) => rowOf(result, flags['no-trunc'])),
            {titles, columns: terminalColumns(context)},
          ),
    );
    return 0;
  });
}

function parseConditions(conditions: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const filters: Record<string, string[]> = {};
  for (const condition of conditions) {
    const [, key = '', value = ''] = /^([^=]+)=(.+)$/.exec(condition) ?? [];
    if (key === '') {
      throw new TscomposeError('invalid', `--filter "${condition}": KEY=VALUE is expected`, {
        exitCode: exitCodes.usage,
      });
    }
    filters[key] = [...(filters[key] ?? []), value];
  }
  return filters;
}

function rowOf(result: ImageSearchResult, isWhole: boolean): Readonly<Record<string, unknown>> {
  return {
    Name: result.name,
    Description: describe(result, isWhole),
    StarCount: String(result.star_count),
    IsOfficial: String(result.is_official),
    IsAutomated: String(result.is_automated),
  };
}

/** One line, whatever the registry says. */
function describe({description}: ImageSearchResult, isWhole: boolean): string {
  const line = description.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  return isWhole || line.length <= descriptionMax ? line : `${line.slice(0, descriptionMax - 1)}…`;
}

function table(context: CliContext, results: readonly ImageSearchResult[], isWhole: boolean): string {
  return formatTable(
    ['NAME', 'DESCRIPTION', 'STARS', 'OFFICIAL'],
    results.map((result) => [
      result.name,
      describe(result, isWhole),
      String(result.star_count),
      result.is_official ? '[OK]' : '',
    ]),
    {columns: isWhole ? undefined : terminalColumns(context), drop: ['DESCRIPTION', 'OFFICIAL', 'STARS']},
  );
}
