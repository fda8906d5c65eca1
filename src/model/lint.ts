import type {Diagnostic} from '../base/diagnostic.ts';
import {TscomposeError} from '../base/errors.ts';
import type {FileSource} from '../base/file-source.ts';
import {noteLimits} from './limits.ts';
import {warnOfMissingFiles} from './lint-binds.ts';
import {lintDockerfiles} from './lint-dockerfiles.ts';
import {warnOfTabs} from './lint-tabs.ts';
import {warnOfWords} from './lint-words.ts';
import {type LoadRequest, loadTree, readProject} from './load.ts';
import {createProblems, type Problems, sortedByPlace} from './problems.ts';
import type {SourceFile, Span} from './source.ts';
import type {Document} from './stages/assembly.ts';
import {isText, type Tree} from './tree.ts';
import type {Project} from './types.ts';

export interface LintOptions {
  /** Warn of images without a fixed version, too. */
  readonly strict: boolean;
}

/** Everything that is wrong with a stack, or obsolete, or likely not what was meant: errors first. */
export async function lintStack(
  request: LoadRequest,
  source: FileSource,
  {strict}: LintOptions,
): Promise<readonly Diagnostic[]> {
  const problems = createProblems();
  try {
    const loaded = await loadTree({...request, allResources: true}, source, problems);
    for (const {file, trees} of byFile(loaded.documents)) warnOfTabs(file, trees, problems);
    warnOfTexts(loaded.tree, problems);
    const {project, tree} = await readProject(loaded, {request: {...request, allResources: true}, source, problems});
    warnOfUnused(project, tree, problems);
    await warnOfMissingFiles(project, {source, problems});
    if (strict) warnOfImages(project, tree, problems);
    const {workingDirectory} = request;
    const dockerfiles = await lintDockerfiles(project, {tree, source, workingDirectory, problems});
    return errorsFirst([...sortedByPlace([...problems.warnings, ...noteLimits(project)]), ...dockerfiles]);
  } catch (error) {
    if (!(error instanceof TscomposeError)) throw error;
    // Without a place it is not about the stack file: a missing file, a wrong flag.
    if (error.diagnostics.length === 0) throw error;
    const warnings = error.diagnostics.filter(({severity}) => severity === 'warning');
    return [...error.diagnostics.filter(({severity}) => severity === 'error'), ...sortedByPlace(warnings)];
  }
}

function errorsFirst(found: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...found.filter(({severity}) => severity === 'error'), ...found.filter(({severity}) => severity !== 'error')];
}

/** The documents of each file together. */
function byFile(
  documents: readonly Document[],
): readonly {readonly file: SourceFile; readonly trees: readonly Tree[]}[] {
  const trees = new Map<SourceFile, Tree[]>();
  for (const {file, tree} of documents) trees.set(file, [...(trees.get(file) ?? []), tree]);
  return [...trees].map(([file, all]) => ({file, trees: all}));
}

/** Texts that others take for something else, or that are nearly another one. */
function warnOfTexts(tree: Tree, problems: Problems): void {
  const services = section(tree, 'services');
  for (const [name, {value: service}] of services) {
    if (service.kind !== 'mapping') continue;
    warnOfWords(service, name, problems);
    const ports = service.entries.get('ports')?.value;
    for (const item of ports?.kind === 'sequence' ? ports.items : []) warnOfBase60(item.at, name, problems);
    const volumes = service.entries.get('volumes')?.value;
    for (const item of volumes?.kind === 'sequence' ? volumes.items : []) warnOfDrive(item, name, problems);
  }
}

/** YAML 1.1: `22:22` without quotes is 22 × 60 + 22. */
function warnOfBase60({source, start, end}: Span, name: string, problems: Problems): void {
  const written = source.text.slice(start, end);
  const sexagesimal = /^[1-9][0-9]*(?::[0-5]?[0-9])+$/.exec(written);
  if (sexagesimal === null) return;
  const number = written.split(':').reduce((sum, digits) => sum * 60 + Number(digits), 0);
  problems.warning(
    {source, start, end},
    {
      code: 'base-60',
      message: `services.${name}.ports: older readers of YAML take ${written} for the number ${number}`,
      hint: `put it into quotes: "${written}"`,
    },
  );
}

function warnOfDrive(item: Tree, name: string, problems: Problems): void {
  const source = item.kind === 'mapping' ? item.entries.get('source')?.value : undefined;
  if (!isText(source) || !/^[a-zA-Z]$/.test(source.value)) return;
  const {start, end, source: file} = item.at;
  if (!file.text.slice(start, end).replace(/^["']/, '').startsWith(`${source.value}:`)) return;
  problems.warning(item.at, {
    code: 'drive-letter',
    message: `services.${name}.volumes: Compose takes "${source.value}:" for a drive of Windows, not for a volume`,
    hint: 'give the volume a name of two letters or more, or write the long form',
  });
}

function section(tree: Tree, name: string): ReadonlyMap<string, {readonly key: Span; readonly value: Tree}> {
  const node = tree.kind === 'mapping' ? tree.entries.get(name)?.value : undefined;
  return node?.kind === 'mapping' ? node.entries : new Map();
}

/** What no service names, whatever its profile. */
function warnOfUnused(project: Project, tree: Tree, problems: Problems): void {
  const services = Object.values({...project.disabledServices, ...project.services});
  const used: Readonly<Record<string, ReadonlySet<string>>> = {
    networks: new Set(services.flatMap(({networks = {}}) => Object.keys(networks))),
    volumes: new Set(
      services.flatMap(({volumes = []}) =>
        volumes.flatMap(({type, source}) => (type === 'volume' && source !== undefined ? [source] : [])),
      ),
    ),
    configs: new Set(services.flatMap(({configs = []}) => configs.map(({source}) => source))),
    secrets: new Set(
      services.flatMap(({secrets = [], build}) => [...secrets, ...(build?.secrets ?? [])].map(({source}) => source)),
    ),
    models: new Set(services.flatMap(({models = {}}) => Object.keys(models))),
  };
  for (const [kind, names] of Object.entries(used)) {
    for (const [name, {key}] of section(tree, kind)) {
      if (names.has(name) || (kind === 'networks' && name === 'default')) continue;
      problems.warning(key, {
        code: 'unused',
        message: `${kind}.${name}: no service uses it`,
        hint: 'remove it, or use it',
      });
    }
  }
}

/** An image without a version is another one tomorrow. */
function warnOfImages(project: Project, tree: Tree, problems: Problems): void {
  const services = section(tree, 'services');
  for (const [name, {image, build}] of Object.entries({...project.disabledServices, ...project.services})) {
    if (image === undefined || build !== undefined || image.includes('@')) continue;
    const tag = /:([^:/]+)$/.exec(image)?.[1];
    if (tag !== undefined && tag !== 'latest') continue;
    const service = services.get(name)?.value;
    const node = service?.kind === 'mapping' ? service.entries.get('image')?.value : undefined;
    problems.warning(node?.at, {
      code: 'latest-tag',
      message: `services.${name}.image: "${image}" is another image tomorrow`,
      hint: 'name a version, or a digest',
    });
  }
}
