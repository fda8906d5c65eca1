import {readdir} from 'node:fs/promises';
import {dirname, resolve} from 'node:path';
import {composeLabels} from '../../api/labels.ts';
import type {ContainerSummary} from '../../api/types/container.ts';
import type {ImageSummary} from '../../api/types/image.ts';
import type {CliContext} from '../context.ts';
import type {OutlinedService, StackOutline} from '../outline/stack-outline.ts';
import {existing, loadRequest, withEngine} from '../session.ts';
import {humanSize} from '../size.ts';
import type {Candidate, StackNames} from './value-kinds.ts';

/** A person waits at the keyboard: an engine far away that does not answer has nothing to say. */
const patienceMs = 1000;

export function stackNames(context: CliContext): StackNames {
  const services = () => orNone(() => outlinedServices(context));
  const containers = () => orNone(() => listContainers(context));
  return {
    async services() {
      const known = (await services()).map(({name, image = '', profiles}) => ({
        word: name,
        about: profiles === undefined ? image : `${image} (profile ${profiles.join(', ')})`.trim(),
      }));
      return known.length > 0 ? unique(known) : unique(await servicesOfContainers(context, containers));
    },
    async profiles() {
      const names = (await services()).flatMap(({profiles = []}) => profiles);
      return unique(names.map((word) => ({word, about: ''})));
    },
    environments: () => orNone(() => environmentFiles(context)),
    async projects() {
      return unique((await containers()).map(({Labels}) => ({word: Labels[composeLabels.project] ?? '', about: ''})));
    },
    async images() {
      return (await orNone(() => listImages(context))).flatMap(({RepoTags, Size}) =>
        RepoTags.map((word) => ({word, about: humanSize(Size)})),
      );
    },
    async replicas(wanted) {
      const project = await orUndefined(() => projectName(context));
      return unique(
        (await containers())
          .filter(({Labels}) => Labels[composeLabels.project] === project)
          .filter(({Labels}) => wanted.length === 0 || wanted.includes(Labels[composeLabels.service] ?? ''))
          .map(({Labels, Names, State}) => ({
            word: Labels[composeLabels.containerNumber] ?? '',
            about: `${(Names[0] ?? '').replace(/^\//, '')} ${State}`,
          })),
      );
    },
  };
}

async function outlinedServices(context: CliContext): Promise<readonly OutlinedService[]> {
  return (await outlineOfStack(context)).services;
}

async function projectName(context: CliContext): Promise<string> {
  const named = context.global['project-name'];
  return named ?? (await outlineOfStack(context)).name;
}

/** Loaded where it is needed: most presses of a key ask for commands and flags. */
async function outlineOfStack(context: CliContext): Promise<StackOutline> {
  const {loadOutline} = await import('../outline/load-outline.ts');
  return (await loadOutline(context, loadRequest(context, existing))).outline;
}

/** With `-p` alone there need be no stack file. */
async function servicesOfContainers(
  context: CliContext,
  containers: () => Promise<readonly ContainerSummary[]>,
): Promise<readonly Candidate[]> {
  const name = context.global['project-name'];
  if (name === undefined) return [];
  return (await containers())
    .filter(({Labels}) => Labels[composeLabels.project] === name)
    .map(({Labels, Image}) => ({word: Labels[composeLabels.service] ?? '', about: Image}));
}

function listContainers(context: CliContext): Promise<readonly ContainerSummary[]> {
  return withEngine(context, (docker) =>
    docker.listContainers({
      all: true,
      filters: {label: [composeLabels.project]},
      abortSignal: AbortSignal.timeout(patienceMs),
    }),
  );
}

/** Those that files beside the stack file belong to: `compose.NAME.yaml`, `.env.NAME`. */
async function environmentFiles({global, cwd}: CliContext): Promise<readonly Candidate[]> {
  const [file] = global.file;
  const directory = resolve(cwd, global['project-directory'] ?? (file === undefined ? '.' : dirname(file)));
  const names = (await readdir(directory)).flatMap((name) => {
    const [, ofStack, ofVariables] = /^(?:docker-)?compose\.([\w-]+)\.ya?ml$|^\.env\.([\w-]+)$/.exec(name) ?? [];
    return ofStack ?? ofVariables ?? [];
  });
  return unique(names.filter((name) => name !== 'override').map((word) => ({word, about: ''})));
}

function unique(candidates: readonly Candidate[]): readonly Candidate[] {
  const byWord = new Map(candidates.filter(({word}) => word !== '').map((candidate) => [candidate.word, candidate]));
  return [...byWord.values()].sort((a, b) => a.word.localeCompare(b.word, undefined, {numeric: true}));
}

async function orNone<T>(ask: () => Promise<readonly T[]>): Promise<readonly T[]> {
  return (await orUndefined(ask)) ?? [];
}

async function orUndefined<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch {
    return undefined;
  }
}

async function listImages(context: CliContext): Promise<readonly ImageSummary[]> {
  return await withEngine(context, (docker) => docker.listImages({abortSignal: AbortSignal.timeout(patienceMs)}));
}
