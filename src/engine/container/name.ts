import {randomInt} from 'node:crypto';
import {TscomposeError} from '../../base/errors.ts';

const validName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** A container's name without its leading slash. Throws `invalid`. */
export function parseContainerName(given: string): string {
  const name = given.startsWith('/') ? given.slice(1) : given;
  if (!validName.test(name)) {
    throw new TscomposeError(
      'invalid',
      `Invalid container name (${given}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
    );
  }
  return name;
}

const adjectives = [
  'amber',
  'bold',
  'brisk',
  'calm',
  'clever',
  'cosy',
  'crisp',
  'deft',
  'eager',
  'fair',
  'fleet',
  'gentle',
  'glad',
  'golden',
  'hardy',
  'keen',
  'kind',
  'lively',
  'lucid',
  'mellow',
  'merry',
  'mild',
  'neat',
  'nimble',
  'noble',
  'polite',
  'proud',
  'quick',
  'quiet',
  'ready',
  'sage',
  'serene',
  'sharp',
  'silent',
  'snug',
  'sober',
  'solid',
  'steady',
  'sunny',
  'swift',
  'tidy',
  'vivid',
  'warm',
  'wise',
] as const;
const animals = [
  'badger',
  'beaver',
  'bison',
  'crane',
  'curlew',
  'dolphin',
  'dove',
  'eagle',
  'egret',
  'falcon',
  'ferret',
  'finch',
  'fox',
  'gecko',
  'hare',
  'heron',
  'ibex',
  'jackdaw',
  'kestrel',
  'lark',
  'lemur',
  'lynx',
  'magpie',
  'marten',
  'newt',
  'octopus',
  'otter',
  'owl',
  'panda',
  'plover',
  'puffin',
  'quail',
  'raven',
  'robin',
  'salmon',
  'seal',
  'sparrow',
  'stork',
  'swan',
  'tapir',
  'tern',
  'vole',
  'walrus',
  'wren',
] as const;

/** A name for a container that was given none; later attempts carry a number. */
export function randomName(attempt: number): string {
  const name = `${adjectives[randomInt(adjectives.length)]}_${animals[randomInt(animals.length)]}`;
  return attempt === 0 ? name : `${name}${randomInt(10 ** Math.min(attempt + 1, 9))}`;
}
