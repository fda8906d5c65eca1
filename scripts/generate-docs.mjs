// Writes the pages of docs/ that are made from tables: stack-file.md (attributes), cli.md (commands, flags, exit codes),
// api.md (endpoints).
import {readFileSync, writeFileSync} from 'node:fs';
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

/** What the schema says of the members of one part, refused ones marked. */
function memberRows(schema, changes) {
  return Object.entries(schema.properties).map(([name, member]) => {
    const refused = JSON.stringify(member.not) === '{}';
    const effect = refused ? 'not supported yet: refused' : changes === undefined ? '' : (effects[changes[name]] ?? '');
    return changes === undefined
      ? `| \`${name}\` | ${cell(member.description ?? '')}${refused ? ' **Not supported yet: refused.**' : ''} |`
      : `| \`${name}\` | ${cell(member.description ?? '')} | ${effect} |`;
  });
}

const effects = {
  recreate: 'recreates the container',
  live: 'recreates the container',
  none: 'changes no container',
};

export async function renderStackFilePage() {
  const schema = JSON.parse(readFileSync(new URL('../schemas/stack.schema.json', import.meta.url), 'utf8'));
  const {attributeTable} = await importSource("export {attributeTable} from './src/model/attributes/index.ts';");
  const changes = Object.fromEntries([...attributeTable].map(([name, row]) => [name, row.change]));
  const parts = Object.entries(schema.$defs).filter(([name]) => name !== 'service');
  return [
    '# The stack file',
    '',
    'Generated from `schemas/stack.schema.json` and the attribute table in `src/model/attributes`',
    '(`node scripts/generate-docs.mjs`). The format is the Compose Specification. What is not supported yet is refused with',
    'its name and place, never ignored; members that begin with `x-` are yours.',
    '',
    'For completion and explanations in an editor, begin the file with',
    '`# yaml-language-server: $schema=PATH/schemas/stack.schema.json`.',
    '',
    '## Top level',
    '',
    '| member | meaning |',
    '|---|---|',
    ...memberRows(schema),
    '',
    '## services',
    '',
    '| attribute | meaning | a change of it |',
    '|---|---|---|',
    ...memberRows(schema.$defs.service, changes),
    '',
    ...parts.flatMap(([name, part]) => [
      `## ${name}s`,
      '',
      '| attribute | meaning |',
      '|---|---|',
      ...memberRows(part),
      '',
    ]),
  ].join('\n');
}

export const pages = {
  'docs/stack-file.md': renderStackFilePage,
  'docs/cli.md': renderCliPage,
  'docs/api.md': renderApiPage,
};

if (process.argv[1] === new URL(import.meta.url).pathname) {
  for (const [path, render] of Object.entries(pages))
    writeFileSync(new URL(`../${path}`, import.meta.url), await render());
}
