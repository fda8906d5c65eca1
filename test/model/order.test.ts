import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {Json} from '../../src/base/canonical-json.ts';
import {renderProject} from '../../src/model/render.ts';
import {yamlText} from '../../src/model/yaml-text.ts';
import {load} from './memory-files.ts';

const seed = Number(process.env['TSCOMPOSE_TEST_SEED'] ?? Date.now() % 1_000_000);

type JsonObject = {readonly [key: string]: Json};

const word = fc.constantFrom('one', 'two', 'three');
const words = fc.array(word, {maxLength: 3});
const pairs = fc.dictionary(fc.constantFrom('A', 'B', 'C'), word);

/** What a service says besides its image: texts, lists, mappings, and what refers to something else. */
const service: fc.Arbitrary<JsonObject> = fc.record(
  {
    image: word,
    command: words,
    hostname: word,
    environment: pairs,
    labels: pairs,
    ports: fc.constantFrom(['80'], ['8080:80', '53/udp']),
    volumes: fc.constantFrom(['data:/data'], ['./x:/x', '/y']),
    networks: fc.constantFrom({front: {aliases: ['x']}}, {back: null}, {front: null, back: {priority: 1}}),
    healthcheck: fc.record({test: words.map((list) => ['CMD', 'x', ...list]), interval: fc.constant('5s')}),
    deploy: fc.record({labels: pairs, resources: fc.constant({limits: {cpus: '1', memory: '1m'}})}),
    logging: fc.record({options: pairs}),
    'x-own': pairs,
  },
  {requiredKeys: ['image']},
);
const stack: fc.Arbitrary<JsonObject> = fc
  .dictionary(fc.constantFrom('a', 'b', 'c', 'd'), service, {minKeys: 1})
  .map((services) => ({
    name: 'ordered',
    services,
    networks: {front: {internal: true}, back: {labels: {x: 'y'}}},
    volumes: {data: {}},
    'x-top': {k: 'v'},
  }));

/** Every leaf of the mappings, with the way to it: what one file may say and another one need not. */
function leavesOf(value: Json, path: readonly string[] = []): readonly (readonly [readonly string[], Json])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || Object.keys(value).length === 0)
    return [[path, value]];
  return Object.entries(value as JsonObject).flatMap(([key, member]) => leavesOf(member, [...path, key]));
}

function treeOf(leaves: readonly (readonly [readonly string[], Json])[]): JsonObject {
  const result: Record<string, Json> = {};
  for (const [path, value] of leaves) {
    let at = result;
    for (const key of path.slice(0, -1)) {
      const below = (at[key] ?? {}) as Record<string, Json>;
      at[key] = below;
      at = below;
    }
    at[path.at(-1) ?? ''] = value;
  }
  return result;
}

const shares = fc.array(fc.nat({max: 3}), {minLength: 200, maxLength: 200});

/** The leaves in four parts, some of which may be empty. */
function partsOf(whole: JsonObject, share: readonly number[]): readonly JsonObject[] {
  const leaves = leavesOf(whole);
  return [0, 1, 2, 3].map((part) => treeOf(leaves.filter((_, index) => share[index] === part)));
}

async function printed(texts: readonly string[], request: Parameters<typeof load>[1] = {}): Promise<string> {
  const names = texts.map((_, index) => `/stack/${index}.yaml`);
  const files = Object.fromEntries(texts.map((text, index) => [names[index] ?? '', text]));
  const {project} = await load(files, {files: names, ...request});
  return `${renderProject(project, 'yaml')}${renderProject(project, 'json')}`;
}

describe(`what does not depend on an order (TSCOMPOSE_TEST_SEED=${seed})`, () => {
  const order = fc.shuffledSubarray([0, 1, 2, 3], {minLength: 4});

  it('files, or documents of a file, of which each says something else', async () => {
    const property = fc.asyncProperty(stack, shares, order, async (whole, share, inOrder) => {
      const texts = partsOf(whole, share).map((part) => yamlText(part));
      const shuffled = inOrder.map((index) => texts[index] ?? '');
      const expected = await printed([yamlText(whole)]);
      expect(await printed(texts)).toBe(expected);
      expect(await printed(shuffled)).toBe(expected);
      expect(await printed([shuffled.map((text) => `---\n${text}`).join('')])).toBe(expected);
    });
    await fc.assert(property, {numRuns: 150, seed});
  });

  it('members of a mapping', async () => {
    const property = fc.asyncProperty(stack, fc.infiniteStream(fc.nat()), async (whole, numbers) => {
      const shuffle = (value: Json): Json => {
        if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
        const members = Object.entries(value as JsonObject).map(
          ([key, member]) => [numbers.next().value, key, shuffle(member)] as const,
        );
        return Object.fromEntries(members.sort(([a], [b]) => a - b).map(([, key, member]) => [key, member]));
      };
      expect(await printed([yamlText(shuffle(whole) as JsonObject)])).toBe(await printed([yamlText(whole)]));
    });
    await fc.assert(property, {numRuns: 150, seed});
  });

  it('includes of which each brings something else', async () => {
    const property = fc.asyncProperty(stack, order, async (whole, inOrder) => {
      const {services, networks, volumes} = whole as {readonly [key: string]: JsonObject};
      const resources = {networks: networks ?? {}, volumes: volumes ?? {}};
      const files = Object.fromEntries(
        ['a', 'b', 'c', 'd'].map((name, index) => {
          const own = services?.[name] ?? {image: 'other'};
          return [`/stack/${index}.yaml`, yamlText({services: {[name]: own}, ...resources})];
        }),
      );
      const including = async (paths: readonly number[]): Promise<string> => {
        const main = yamlText({name: 'ordered', include: paths.map((index) => `${index}.yaml`), services: {}});
        const {project} = await load({...files, '/stack/compose.yaml': main});
        return renderProject(project, 'yaml');
      };
      expect(await including(inOrder)).toBe(await including([0, 1, 2, 3]));
    });
    await fc.assert(property, {numRuns: 100, seed});
  });

  it('services that are asked for', async () => {
    const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), {minLength: 2});
    const property = fc.asyncProperty(stack, names, async (whole, asked) => {
      const known = asked.filter((name) => Object.hasOwn(whole['services'] as JsonObject, name));
      const text = yamlText(whole);
      const backwards = await printed([text], {services: [...known].reverse()});
      expect(await printed([text], {services: known})).toBe(backwards);
    });
    await fc.assert(property, {numRuns: 100, seed});
  });
});
