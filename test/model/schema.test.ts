import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {attributeTable} from '../../src/model/attributes/index.ts';
import {refusalHints, refusedAttributes} from '../../src/model/attributes/refused.ts';
import {validateStack} from '../../src/model/generated/stack-validator.js';
import {failure} from './memory-files.ts';

interface Schema {
  readonly description?: string;
  readonly not?: object;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema | boolean>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

const schema = JSON.parse(readFileSync(new URL('../../schemas/stack.schema.json', import.meta.url), 'utf8')) as Schema;

function walk(node: Schema, path: string, visit: (node: Schema, path: string) => void): void {
  visit(node, path);
  for (const group of ['properties', 'patternProperties', '$defs'] as const) {
    for (const [name, child] of Object.entries(node[group] ?? {})) {
      if (typeof child === 'object') walk(child, `${path}.${name}`, visit);
    }
  }
  if (typeof node.additionalProperties === 'object') walk(node.additionalProperties, `${path}.*`, visit);
  if (node.items !== undefined) walk(node.items, `${path}[]`, visit);
}

const service = schema.$defs?.['service']?.properties ?? {};

describe('the schema of stack files', () => {
  it('and the table of attributes say the same', () => {
    const refused = Object.keys(service).filter((name) => service[name]?.not !== undefined);
    const known = Object.keys(service).filter((name) => service[name]?.not === undefined);
    expect(known.sort()).toEqual([...attributeTable.keys()].sort());
    expect(refused.sort()).toEqual([...refusedAttributes].sort());
  });

  it('says of everything what it is, and has no alternatives that would tell one problem several times', () => {
    let seen = 0;
    walk(schema, '', (node, path) => {
      for (const keyword of ['oneOf', 'anyOf', 'allOf', 'if']) expect(node, path).not.toHaveProperty(keyword);
    });
    for (const [name, definition] of Object.entries(schema.$defs ?? {})) {
      walk({...(definition.properties && {properties: definition.properties})}, name, (node, path) => {
        for (const [member, child] of Object.entries(node.properties ?? {})) {
          seen += 1;
          expect(child.description, `${path}.${member}`).toMatch(/.\.$/);
        }
      });
    }
    expect(seen).toBeGreaterThan(150);
  });

  it('has a hint only for what is refused', () => {
    const refused = new Set<string>();
    walk(schema, '', (node, path) => {
      if (node.not !== undefined) refused.add(path.replace(/^.*\./, ''));
    });
    for (const name of Object.keys(refusalHints)) expect(refused).toContain(name);
  });

  it('accepts extensions at every level that has named members', () => {
    expect(
      validateStack({
        'x-a': 1,
        services: {web: {image: 'x', 'x-b': {c: [1]}, deploy: {'x-d': 1}, healthcheck: {'x-e': 1}}},
      }),
    ).toBe(true);
  });
});

describe('what is known and not supported yet', () => {
  it.each(refusedAttributes.map((name) => [name]))('services.web.%s is refused by name and place', async (name) => {
    const error = await failure(`services:\n  web:\n    image: x\n    ${name}: {}\n`);
    expect(error.kind).toBe('unsupported');
    expect(error.exitCode).toBe(65);
    expect(error.message).toBe(`services.web.${name} is not supported yet`);
    expect(error.diagnostics[0]).toMatchObject({line: 4, column: 5, length: name.length});
    expect(error.diagnostics[0]?.hint).toBe(refusalHints[name]);
  });

  it.each([
    ['include: [a.yaml]\nservices: {web: {image: x}}', 'include is not supported yet'],
    ['models: {m: {model: x}}\nservices: {web: {image: x}}', 'models is not supported yet'],
    ['services: {web: {image: x, deploy: {mode: global}}}', 'services.web.deploy.mode is not supported yet'],
    [
      'services: {web: {image: x, deploy: {update_config: {}}}}',
      'services.web.deploy.update_config is not supported yet',
    ],
    [
      'services: {web: {image: x, deploy: {resources: {reservations: {devices: []}}}}}',
      'services.web.deploy.resources.reservations.devices is not supported yet',
    ],
    [
      'services: {web: {image: x, networks: {default: {link_local_ips: []}}}}',
      'services.web.networks.default.link_local_ips is not supported yet',
    ],
    [
      'services: {web: {image: x, network_mode: "service:db"}}',
      'services.web.network_mode: "service:db" is not supported yet',
    ],
    [
      'services: {web: {image: x, volumes: [{type: image, target: /x}]}}',
      'services.web.volumes: volumes of type "image" are not supported yet',
    ],
    [
      'services: {web: {image: x, security_opt: ["apparmor=x"]}}',
      'services.web.security_opt: "apparmor=x" is not supported yet',
    ],
    ['services: {web: {image: x, pull_policy: build}}', 'services.web.pull_policy: "build" is not supported yet'],
    [
      'services: {web: {image: x, ports: [{target: 1, protocol: sctp}]}}',
      'services.web.ports: the protocol sctp is not supported yet',
    ],
  ])('%s', async (text, message) => {
    expect(await failure(text)).toMatchObject({kind: 'unsupported', message});
  });

  it('is only one kind of problem beside others', async () => {
    const error = await failure('services: {web: {imag: x, build: .}}');
    expect(error.kind).toBe('invalid');
    expect(error.diagnostics.map(({code}) => code)).toEqual(['unknown-key', 'unsupported']);
  });
});
