import {composeLabels} from '../../api/labels.ts';
import type {ContainerSummary} from '../../api/types/container.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {jsonText} from '../json-text.ts';
import {compareText} from '../project-containers.ts';
import {withEngine} from '../session.ts';
import {formatTable} from '../table.ts';
import {terminalColumns} from '../terminal-columns.ts';
import {checkCount, wrongUse} from '../wrong-use.ts';

interface Row {
  readonly Name: string;
  /** `exited(1), running(2)`. */
  readonly Status: string;
  readonly ConfigFiles: string;
}

/** The projects that have containers, as Compose prints them: of what runs, or with `--all` of all there is. */
export function runLs(context: CliContext, {flags, args}: Input<'ls'>): Promise<number> {
  checkCount(args, {least: 0, usage: 'ls'});
  const matches = nameMatcher(flags.filter);
  return withEngine(context, async (docker) => {
    const containers = await docker.listContainers({all: flags.all, filters: {label: [composeLabels.project]}});
    const rows = projectsOf(containers).filter(({Name}) => matches(Name));
    if (flags.quiet) context.stdout.write(rows.map(({Name}) => `${Name}\n`).join(''));
    else if (flags.format === 'json') context.stdout.write(`${jsonText(rows)}\n`);
    else
      context.stdout.write(
        formatTable(
          ['NAME', 'STATUS', 'CONFIG FILES'],
          rows.map(({Name, Status, ConfigFiles}) => [Name, Status, ConfigFiles]),
          {columns: terminalColumns(context), drop: ['CONFIG FILES']},
        ),
      );
    return 0;
  });
}

/** As Docker compares names: one of the patterns is in it. */
function nameMatcher(filters: readonly string[]): (name: string) => boolean {
  const patterns = filters.map((filter) => {
    const [, text] = /^name=(.*)$/s.exec(filter) ?? [];
    if (text === undefined) throw wrongUse(`--filter "${filter}": name=TEXT is expected`);
    try {
      return new RegExp(text);
    } catch {
      throw wrongUse(`--filter "${filter}": "${text}" is no pattern`, 'put a backslash before ( [ { * + ? ^ $ and .');
    }
  });
  return (name) => patterns.length === 0 || patterns.some((pattern) => pattern.test(name));
}

/** By name. */
function projectsOf(containers: readonly ContainerSummary[]): readonly Row[] {
  const projects = new Map<string, ContainerSummary[]>();
  for (const container of containers) {
    const name = container.Labels[composeLabels.project] ?? '';
    projects.set(name, [...(projects.get(name) ?? []), container]);
  }
  return [...projects]
    .sort(([a], [b]) => compareText(a, b))
    .map(([name, members]) => ({Name: name, Status: countStates(members), ConfigFiles: filesOf(members)}));
}

function countStates(containers: readonly ContainerSummary[]): string {
  const counts = new Map<string, number>();
  for (const {State} of containers) counts.set(State, (counts.get(State) ?? 0) + 1);
  return [...counts]
    .sort(([a], [b]) => compareText(a, b))
    .map(([state, count]) => `${state}(${count})`)
    .join(', ');
}

function filesOf(containers: readonly ContainerSummary[]): string {
  const files = containers.flatMap(({Labels}) => (Labels[composeLabels.configFiles] ?? '').split(','));
  return [...new Set(files)].filter((file) => file !== '').join(',');
}
