import {expect, test} from 'vitest';
import {contextNamed} from '../../../src/engine/build/plan/named-context.ts';

const source = {kind: 'directory', path: '/'} as const;
const contexts = {base: source, 'team/tool:2': source, 'base:exact': source, Upper: source};

test.each([
  ['base', 'base'],
  ['base:latest', 'base'],
  ['docker.io/library/base', 'base'],
  ['docker.io/team/tool:2', 'team/tool:2'],
  ['base:exact', 'base:exact'],
  ['Upper', 'Upper'],
  ['base:1', undefined],
  ['ghcr.io/library/base', undefined],
  ['team/tool', undefined],
  ['constructor', undefined],
  ['../base', undefined],
  ['', undefined],
])('%j is the context %j', (name, found) => {
  expect(contextNamed(contexts, name)).toBe(found);
});
