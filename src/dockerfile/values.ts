import type {Instruction, Keyword} from './instruction.ts';
import type {Word} from './words.ts';

/** A part of an instruction that variables are put into. */
export interface ValueOf {
  readonly role: string;
  readonly word: Word;
}

type Values = {readonly [K in Keyword]: (instruction: Instruction<K>) => readonly ValueOf[]};

/** What the Dockerfile reference lists under "Environment replacement": commands are left to the shell. */
const valuesOf: Values = {
  FROM: ({image, platform}) => [{role: 'image', word: image}, ...flagValues({platform})],
  ARG: ({arguments: given}) => given.flatMap(({value}) => (value === undefined ? [] : [{role: 'value', word: value}])),
  RUN: ({mounts}) => mounts.flatMap(({flag}) => flagValues({mount: flag})),
  COPY: (copy) => fileValues(copy),
  ADD: (add) => [...fileValues(add), ...flagValues({checksum: add.checksum})],
  CMD: () => [],
  ENTRYPOINT: () => [],
  SHELL: () => [],
  HEALTHCHECK: () => [],
  ENV: ({pairs}) =>
    pairs.flatMap(({key, value}) => [
      {role: 'key', word: key},
      {role: 'value', word: value},
    ]),
  LABEL: ({pairs}) =>
    pairs.flatMap(({key, value}) => [
      {role: 'key', word: key},
      {role: 'value', word: value},
    ]),
  EXPOSE: ({ports}) => ports.map((word) => ({role: 'port', word})),
  VOLUME: ({paths}) => paths.map((word) => ({role: 'path', word})),
  USER: ({value}) => [{role: 'value', word: value}],
  WORKDIR: ({value}) => [{role: 'value', word: value}],
  STOPSIGNAL: ({value}) => [{role: 'value', word: value}],
  MAINTAINER: () => [],
  // Its values are read when the trigger runs.
  ONBUILD: () => [],
};

/** The parts of an instruction that variables are put into, in the order of the text. */
export function valuesIn(instruction: Instruction): readonly ValueOf[] {
  const values = valuesOf[instruction.keyword] as (given: Instruction) => readonly ValueOf[];
  return values(instruction);
}

function fileValues({sources, target, chown, chmod, exclude}: Instruction<'COPY' | 'ADD'>): readonly ValueOf[] {
  return [
    ...flagValues({chown, chmod}),
    ...exclude.flatMap((flag) => flagValues({exclude: flag})),
    ...sources.map((word) => ({role: 'source', word})),
    {role: 'target', word: target},
  ];
}

function flagValues(
  flags: Readonly<Record<string, {readonly value: string; readonly valueAt: number} | undefined>>,
): readonly ValueOf[] {
  return Object.entries(flags).flatMap(([role, flag]) =>
    flag === undefined ? [] : [{role, word: {text: flag.value, at: flag.valueAt}}],
  );
}
