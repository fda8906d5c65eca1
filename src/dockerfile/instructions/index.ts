import type {Keyword} from '../instruction.ts';
import {cmd, entrypoint, healthcheck, run} from './command-instructions.ts';
import {add, copy} from './file-instructions.ts';
import type {Row} from './row.ts';
import {env, expose, label, maintainer, onbuild, stopsignal, user, volume, workdir} from './setting-instructions.ts';
import {arg, from, shell} from './stage-instructions.ts';

/** Every instruction of the language. */
export const instructions = {
  FROM: from,
  ARG: arg,
  RUN: run,
  COPY: copy,
  ADD: add,
  CMD: cmd,
  ENTRYPOINT: entrypoint,
  SHELL: shell,
  HEALTHCHECK: healthcheck,
  ENV: env,
  LABEL: label,
  EXPOSE: expose,
  VOLUME: volume,
  USER: user,
  WORKDIR: workdir,
  STOPSIGNAL: stopsignal,
  MAINTAINER: maintainer,
  ONBUILD: onbuild,
} satisfies {readonly [K in Keyword]: Row<K>};

export const keywords = Object.keys(instructions) as readonly Keyword[];
