// Writes the pages of docs/ that are made from tables: cli.md (commands, flags, exit codes) and api.md (endpoints).
import {writeFileSync} from 'node:fs';
import {build} from 'esbuild';

async function importSource(contents) {
  const {outputFiles} = await build({
    stdin: {contents, resolveDir: new URL('..', import.meta.url).pathname, loader: 'ts'},
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    splitting: false,
    define: {TSCOMPOSE_VERSION: '"0"'},
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

const cell = (text) => text.replaceAll('|', '\\|');

function flagRows(flags) {
  return Object.entries(flags).map(([name, flag]) => {
    const value = flag.value === undefined ? '' : ` ${flag.value}`;
    const choices = flag.choices === undefined ? '' : ` (${flag.choices.join(', ')})`;
    return `| \`${flag.short ? `-${flag.short}, ` : ''}--${name}${value}\` | ${cell(flag.summary)}${choices}${flag.repeat ? '; may be repeated' : ''} |`;
  });
}

export async function renderCliPage() {
  const {commandFlags, globalFlags, exitCodes, commandRows} = await importSource(`
    export {commandFlags} from './src/cli/flags.ts';
    export {globalFlags} from './src/cli/command.ts';
    export {exitCodes} from './src/base/errors.ts';
    import {commandSummaries} from './src/cli/summaries.ts';
    export const commandRows = commandSummaries;
  `);
  const meanings = {
    success: 'done',
    failure: 'something failed; the message says what',
    planHasChanges: '`plan --exit-code`: there are changes',
    usage: 'wrong use of the command line',
    invalidStack: 'the stack file is invalid, or asks for what is not supported',
    unavailable: 'the engine does not answer',
    internal: 'a fault of tscompose',
    locked: 'another process holds what is needed',
    timeout: 'a time limit passed',
    runtime: '`exec`: the command could not be started',
    notExecutable: '`exec`: the command is not executable',
    commandNotFound: '`exec`: no such command',
    interrupted: 'interrupted, or a `down` of somebody else won',
  };
  return [
    '# Command line',
    '',
    'Generated from the tables in `src/cli` and `src/base/errors.ts` (`node scripts/generate-docs.mjs`).',
    '',
    '`tscompose [OPTIONS] COMMAND`. Options of the whole stand before the command:',
    '',
    '| option | meaning |',
    '|---|---|',
    ...flagRows(globalFlags),
    '',
    ...Object.entries(commandRows).flatMap(([name, {summary, args}]) => [
      `## ${name}`,
      '',
      `\`tscompose ${name}${args === '' ? '' : ` ${args}`}\`: ${summary}.`,
      '',
      ...(Object.keys(commandFlags[name]).length === 0
        ? []
        : ['| option | meaning |', '|---|---|', ...flagRows(commandFlags[name]), '']),
    ]),
    '## Exit codes',
    '',
    '| code | meaning |',
    '|---|---|',
    ...Object.entries(exitCodes).map(([name, code]) => `| ${code} | ${meanings[name]} |`),
    '',
    'A command run by `exec` ends with its own code; one ended by a signal with 128 and the number of the signal.',
    '',
  ].join('\n');
}

export async function renderApiPage() {
  const {endpoints} = await importSource("export {endpoints} from './src/api/endpoints.ts';");
  return [
    '# Engine API',
    '',
    'The requests of the Docker Engine API that tscompose answers and sends, generated from `src/api/endpoints`',
    '(`node scripts/generate-docs.mjs`). Everything else is answered with 404, or with 501 where it is known and not supported.',
    '',
    '| request | name | query | answer |',
    '|---|---|---|---|',
    ...Object.entries(endpoints).map(
      ([name, row]) =>
        `| \`${row.method} ${row.path}\` | ${name} | ${Object.keys(row.query).join(', ')} | ${row.answer.kind} ${row.answer.status} |`,
    ),
    '',
  ].join('\n');
}

export const pages = {'docs/cli.md': renderCliPage, 'docs/api.md': renderApiPage};

if (process.argv[1] === new URL(import.meta.url).pathname) {
  for (const [path, render] of Object.entries(pages))
    writeFileSync(new URL(`../${path}`, import.meta.url), await render());
}
