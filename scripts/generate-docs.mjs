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
    const unless = flag.default ? ` (unless \`--${name}=false\`)` : '';
    return `| \`${flag.short ? `-${flag.short}, ` : ''}--${name}${value}\` | ${cell(flag.summary)}${unless}${choices}${flag.repeat ? '; may be repeated' : ''} |`;
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
    failure: 'something failed; the message says what. `lint`: there are warnings only',
    planHasChanges: '`plan --exit-code`: there are changes; `diff --exit-code`: there are differences',
    usage: 'wrong use of the command line',
    invalidStack: 'the stack file is invalid, or asks for what is not supported',
    unavailable: 'the engine does not answer',
    internal: 'a fault of tscompose',
    locked: 'another process holds what is needed',
    timeout: 'a time limit passed',
    runtime: '`exec`, `run`: the command could not be started',
    notExecutable: '`exec`, `run`: the command is not executable',
    commandNotFound: '`exec`, `run`: no such command',
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
    'A command run by `exec` or `run` ends with its own code; one ended by a signal with 128 and the number of the signal.',
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

const changes = {
  live: 'applied to the running container',
  restart: 'restarts the container',
  recreate: 'recreates the container',
  none: 'changes no container',
};

const isWhole = ({of}) => of === undefined || of === 'any';

/** What an engine does with an attribute, as its limits have it: all, a part, nothing. */
function supportBy(limits, refusing) {
  const met = limits.filter(({by}) => refusing.includes(by));
  if (met.some((limit) => limit.by !== 'swarm' && isWhole(limit))) return 'no';
  return met.length === 0 ? 'yes' : 'partly';
}

/** By the built-in engine, and by a Docker Engine. */
function supportCells(limits = []) {
  return [supportBy(limits, ['builtin', 'tscompose', 'swarm']), supportBy(limits, ['tscompose', 'swarm'])];
}

const whoCannot = {builtin: 'the built-in engine', tscompose: 'every engine', swarm: 'told, without effect'};

function limitRows(name, limits = [], usualHint) {
  return limits.map(({by, of, reason, hint = usualHint[by]}) =>
    line(`\`${name}\``, isWhole({of}) ? 'all of it' : of, whoCannot[by], reason, hint),
  );
}

function defaultOf({default: value}) {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const line = (...cells) => `| ${cells.map(cell).join(' | ')} |`;

/** Members below an attribute, by their path from it: `ports[].target`. */
function membersBelow(schema, node, path) {
  const target = node.$ref === undefined ? node : schema.$defs[node.$ref.slice('#/$defs/'.length)];
  const named = Object.entries(target.properties ?? {}).flatMap(([name, member]) => [
    {path: `${path}.${name}`, member},
    ...membersBelow(schema, member, `${path}.${name}`),
  ]);
  const any = [target.additionalProperties, ...Object.values(target.patternProperties ?? {})];
  return [
    ...named,
    ...(target.items === undefined ? [] : membersBelow(schema, target.items, `${path}[]`)),
    ...any.flatMap((child) => (typeof child === 'object' ? membersBelow(schema, child, `${path}.NAME`) : [])),
  ];
}

const memberHead = ['| member | meaning | default |', '|---|---|---|'];

function memberRows(schema, node, path) {
  return membersBelow(schema, node, path).map(({path: name, member}) =>
    line(`\`${name}\``, member.description ?? '', defaultOf(member)),
  );
}

/** A part at the top level that is a mapping of things. */
function resourceSection(schema, name, limits) {
  const {properties} = schema.$defs[name.slice(0, -1)];
  const [builtin, docker] = supportCells(limits);
  return [
    `## ${name}`,
    '',
    `${resourceChanges[name]} Supported by the built-in engine: ${builtin}; by a Docker Engine: ${docker}.`,
    '',
    ...memberHead,
    ...Object.entries(properties).flatMap(([member, node]) => [
      line(`\`${member}\``, node.description ?? '', defaultOf(node)),
      ...memberRows(schema, node, member),
    ]),
    '',
  ];
}

const resourceChanges = {
  networks: 'A change makes the network anew, and its containers with it.',
  volumes: 'A change makes the volume anew where that is allowed: what is in it is lost.',
  configs: 'A change recreates the containers that use it.',
  secrets: 'A change recreates the containers that use it.',
  models: 'Models are not run yet.',
};

export async function renderStackFilePage() {
  const schema = JSON.parse(readFileSync(new URL('../schemas/stack.schema.json', import.meta.url), 'utf8'));
  const {attributeTable, resourceLimits, usualHint} = await importSource(`
    export {attributeTable} from './src/model/attributes/index.ts';
    export {resourceLimits} from './src/model/attributes/resource-limits.ts';
    export {usualHint} from './src/model/limits.ts';
  `);
  const service = Object.entries(schema.$defs.service.properties);
  const withMembers = service.filter(([name, node]) => membersBelow(schema, node, name).length > 0);
  // Gone before attributes are read: the service has what the other one says.
  const extending = {change: 'none', limits: []};
  return [
    '# The stack file',
    '',
    'Generated from `schemas/stack.schema.json` and the attribute table in `src/model/attributes`',
    '(`node scripts/generate-docs.mjs`). The format is the Compose Specification. What an engine does not do is refused at',
    '`up` with its name and place before anything is changed, never ignored; what has a meaning in a swarm only is told and',
    'changes nothing, as in Compose. Members that begin with `x-` are yours.',
    '',
    'For completion and explanations in an editor, begin the file with',
    '`# yaml-language-server: $schema=PATH/schemas/stack.schema.json`; `tscompose schema` prints the schema.',
    '',
    '## Top level',
    '',
    ...memberHead,
    ...Object.entries(schema.properties).map(([name, node]) =>
      line(`\`${name}\``, node.description ?? '', defaultOf(node)),
    ),
    ...memberRows(schema, schema.properties.include, 'include'),
    '',
    '## services',
    '',
    '“Partly”: the table after this one says what not.',
    '',
    '| attribute | meaning | default | a change of it | built-in engine | Docker Engine |',
    '|---|---|---|---|---|---|',
    ...service.map(([name, node]) => {
      const {change, limits} = name === 'extends' ? extending : attributeTable.get(name);
      return line(`\`${name}\``, node.description ?? '', defaultOf(node), changes[change], ...supportCells(limits));
    }),
    '',
    '## What is not done, and why',
    '',
    'Refused by name and place before anything is changed; what the last column says can be done instead.',
    '',
    '| attribute | what of it | who | why | instead |',
    '|---|---|---|---|---|',
    ...[...attributeTable].flatMap(([name, {limits}]) => limitRows(name, limits, usualHint)),
    ...Object.entries(resourceLimits).flatMap(([name, limits]) => limitRows(`${name}: NAME`, limits, usualHint)),
    '',
    ...withMembers.flatMap(([name, node]) => [`### ${name}`, '', ...memberHead, ...memberRows(schema, node, name), '']),
    ...Object.entries(resourceLimits).flatMap(([name, limits]) => resourceSection(schema, name, limits)),
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
