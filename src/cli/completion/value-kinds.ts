import {containerStates} from '../flags.ts';
import type {TypedLine} from './typed-line.ts';

export interface Candidate {
  readonly word: string;
  /** For shells that show it beside the word. */
  readonly about: string;
}

/** What a shell is to offer. `nospace`: what follows belongs to the same word. */
export type Candidates =
  | {readonly kind: 'words' | 'nospace'; readonly words: readonly Candidate[]}
  | {readonly kind: 'files' | 'directories'};

/** Names that the stack and its engine know. None of these fails: what cannot be known is empty. */
export interface StackNames {
  services(): Promise<readonly Candidate[]>;
  profiles(): Promise<readonly Candidate[]>;
  /** `--env`. */
  environments(): Promise<readonly Candidate[]>;
  projects(): Promise<readonly Candidate[]>;
  /** Of every image of the engine. */
  images(): Promise<readonly Candidate[]>;
  /** Numbers of the containers of these services; none named: of all. */
  replicas(services: readonly string[]): Promise<readonly Candidate[]>;
}

type Complete = (names: StackNames, line: TypedLine) => Candidates | Promise<Candidates>;

const words = (found: readonly Candidate[]): Candidates => ({kind: 'words', words: found});
const plain = (found: readonly string[]): readonly Candidate[] => found.map((word) => ({word, about: ''}));

/** `SERVICE:PATH`, or a path of this machine: what is typed so far decides. */
const copied: Complete = async (names, {current}) => {
  const services = (await names.services()).map(({word, about}) => ({word: `${word}:`, about}));
  return services.some(({word}) => word.startsWith(current)) ? {kind: 'nospace', words: services} : {kind: 'files'};
};

/** Of a copy, the service's side; of all else, the first argument. */
const namedService = (args: readonly string[]): readonly string[] =>
  [args.find(isCopyOfService)?.replace(/:.*/s, '') ?? args[0]].filter((service) => service !== undefined);

const isCopyOfService = (argument: string): boolean => /^[^/.:][^:]*:/.test(argument);

/** By the name that help gives to a value or an argument. */
export const valueKinds: Readonly<Record<string, Complete | undefined>> = {
  FILE: () => ({kind: 'files'}),
  DIRECTORY: () => ({kind: 'directories'}),
  'SOURCE:TARGET': () => ({kind: 'directories'}),
  CONTEXT: () => ({kind: 'directories'}),
  SERVICE: async (names) => words(await names.services()),
  SERVICES: async (names) => words([...(await names.services()), {word: '*', about: 'all of them'}]),
  'SERVICE=N': async (names) => ({
    kind: 'nospace',
    words: (await names.services()).map(({word, about}) => ({word: `${word}=`, about})),
  }),
  PROFILE: async (names) => words([...(await names.profiles()), {word: '*', about: 'all of them'}]),
  ENVIRONMENT: async (names) => words(await names.environments()),
  PROJECT: async (names) => words(await names.projects()),
  IMAGE: async (names) => words(await names.images()),
  'REPOSITORY:TAG': async (names) => words(await names.images()),
  'FILE|URL|-': () => ({kind: 'files'}),
  REPLICA: async (names, {args}) => words(await names.replicas(namedService(args))),
  SOURCE: copied,
  // What comes from a service goes to this machine: there is no copy between services.
  DESTINATION: (names, line) => (line.args.some(isCopyOfService) ? {kind: 'files'} : copied(names, line)),
  'install|uninstall|status|boot': () =>
    words([
      {word: 'install', about: 'start containers at boot'},
      {word: 'uninstall', about: 'start none any more'},
      {word: 'status', about: 'show whether it is installed'},
      {word: 'boot', about: 'start them now'},
    ]),
  SHELL: () => words(plain(['bash', 'zsh', 'fish'])),
  METHOD: () => words(plain(['build', 'check', 'outline', 'targets'])),
  FORMAT: () => words(plain(['table', 'json'])),
  'status=STATUS': () => words(plain(containerStates.map((state) => `status=${state}`))),
};
