import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {createProblems} from '../../../src/model/problems.ts';
import {expandFile} from '../../../src/model/stages/expand.ts';
import {mergeTrees, settle} from '../../../src/model/stages/merge.ts';
import {parseStackFile} from '../../../src/model/stages/parse.ts';
import {type Tree, toPlain} from '../../../src/model/tree.ts';

function tree(text: string): Tree {
  const problems = createProblems();
  const [parsed] = parseStackFile({path: '/x.yaml', shown: 'x.yaml', text}, problems);
  if (parsed === undefined) throw new Error('nothing to merge');
  const expanded = expandFile(parsed, {problems, absolute: (path) => path});
  problems.throwIfAny();
  return expanded;
}

/** The attribute of a service after a second file was merged. */
function merged(attribute: string, ...values: readonly string[]): unknown {
  const [first = tree('{}'), ...others] = values.map((value) => tree(`services: {a: {${attribute}: ${value}}}`));
  const result = toPlain(others.reduce((base, over) => mergeTrees(base, over), settle(first))) as {
    services: {a: Record<string, unknown>};
  };
  return result.services.a[attribute];
}

describe('mergeTrees', () => {
  it.each([
    ['image', ['one', 'two'], 'two'],
    ['command', ['[a, b]', '[c]'], ['c']],
    ['command', ['[a]', 'null'], null],
    ['entrypoint', ['a b', '[c]'], ['c']],
    ['hostname', ['h', 'null'], 'h'],
    ['environment', ['{A: 1, B: 2}', '[B=3, C]'], {A: 1, B: '3', C: null}],
    ['environment', ['{A: 1}', '{A: }'], {A: null}],
    ['environment', ['{A: 1}', 'null'], {A: 1}],
    ['labels', ['[a, b=1]', '{b: 2}'], {a: '', b: 2}],
    ['cap_add', ['[A, B]', '[B, C]'], ['A', 'B', 'C']],
    ['dns', ['1.1.1.1', '[2.2.2.2, 1.1.1.1]'], ['1.1.1.1', '2.2.2.2']],
    ['tmpfs', ['/a', '[/a, "/a:size=1"]'], ['/a', '/a:size=1']],
    ['security_opt', ['[x]', '[x, y]'], ['x', 'y']],
    ['ulimits', ['{nofile: 1, nproc: 2}', '{nofile: {soft: 3, hard: 4}}'], {nofile: {soft: 3, hard: 4}, nproc: 2}],
    ['ulimits', ['{nofile: {soft: 3, hard: 4}}', '{nofile: 1}'], {nofile: 1}],
    ['extra_hosts', ['[a=1, b=2]', '{a: [3, 1]}'], {a: [1, 3], b: ['2']}],
    ['logging', ['{driver: x, options: {a: 1}}', '{options: {b: 2}}'], {driver: 'x', options: {a: 1, b: 2}}],
    ['logging', ['{driver: x, options: {a: 1}}', '{driver: y}'], {driver: 'y'}],
    ['healthcheck', ['{test: [CMD, a], interval: 1s}', '{test: b}'], {test: ['CMD-SHELL', 'b'], interval: '1s'}],
    ['networks', ['[a]', '{a: {aliases: [x]}, b: }'], {a: {aliases: ['x']}, b: null}],
    [
      'networks',
      ['{a: {aliases: [x]}}', '{a: {aliases: [x, y], priority: 1}}'],
      {a: {aliases: ['x', 'y'], priority: 1}},
    ],
    ['secrets', ['[s, t]', '[{source: s, mode: 256}]'], [{source: 's', mode: 256}, {source: 't'}]],
    ['secrets', ['[s]', '[{source: t, target: /run/secrets/s}]'], [{source: 't', target: '/run/secrets/s'}]],
    ['configs', ['[{source: a, target: /x}]', '[{source: b, target: /x}]'], [{source: 'b', target: '/x'}]],
    [
      'env_file',
      ['a.env', '[b.env, {path: a.env, required: false}]'],
      [{path: 'a.env', required: false}, {path: 'b.env'}],
    ],
    [
      'ports',
      ['[!override "1:1"]', '!override ["2:2"]'],
      [{mode: 'ingress', target: 2, published: '2', protocol: 'tcp'}],
    ],
    ['labels', ['{a: 1, b: 2}', '{a: !reset null}'], {b: 2}],
    ['labels', ['{a: 1}', '!reset null'], undefined],
    ['labels', ['{a: 1}', '!override {b: 2}'], {b: 2}],
    ['labels', ['!override {a: 1}'], {a: 1}],
    ['cap_add', ['[A, A, B]'], ['A', 'B']],
  ])('%s of %j', (attribute, values, expected) => {
    expect(merged(attribute, ...values)).toEqual(expected);
  });

  it('takes the place of a port, a volume or a dependency that is the same', () => {
    expect(merged('ports', '["80:80", "81:81"]', '["0.0.0.0:80:80", "80:80/udp", "127.0.0.1:80:80"]')).toEqual([
      {mode: 'ingress', host_ip: '0.0.0.0', target: 80, published: '80', protocol: 'tcp'},
      {mode: 'ingress', target: 81, published: '81', protocol: 'tcp'},
      {mode: 'ingress', target: 80, published: '80', protocol: 'udp'},
      {mode: 'ingress', host_ip: '127.0.0.1', target: 80, published: '80', protocol: 'tcp'},
    ]);
    expect(merged('volumes', '["a:/x", "b:/y"]', '["c:/x:ro"]')).toEqual([
      {type: 'volume', source: 'c', target: '/x', volume: {}, read_only: true},
      {type: 'volume', source: 'b', target: '/y', volume: {}},
    ]);
    expect(
      merged(
        'depends_on',
        '[a]',
        '{a: {condition: service_healthy}, b: {condition: service_started, required: false}}',
      ),
    ).toEqual({
      a: {condition: 'service_healthy', required: true},
      b: {condition: 'service_started', required: false},
    });
  });

  it('removes and adds whole services', () => {
    const result = mergeTrees(
      tree('services: {a: {image: x}, b: {image: y}}'),
      tree('services: {a: !reset null, c: {image: z}}'),
    );
    expect(toPlain(result)).toEqual({services: {b: {image: 'y'}, c: {image: 'z'}}});
  });

  it('puts lists of extensions together as they are, on every level', () => {
    const merged = mergeTrees(tree('x-a: {l: [1, 2]}'), tree('x-a: {l: [2, 3], m: [4, 4]}'));
    expect(toPlain(merged)).toEqual({'x-a': {l: [1, 2, 2, 3], m: [4, 4]}});
  });

  const scalar = fc.oneof(fc.integer(), fc.constantFrom('a', 'b', 'c'), fc.boolean());
  const {value} = fc.letrec((tie) => ({
    value: fc.oneof({maxDepth: 3}, scalar, fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), {maxKeys: 3})),
  }));
  // Lists of extensions are put together as they are, so the same file again would make them longer.
  const stack = fc.record({
    'x-any': value,
    services: fc.record({
      a: fc.record({
        environment: fc.dictionary(fc.constantFrom('A', 'B'), scalar),
        cap_add: fc.array(fc.constantFrom('A', 'B', 'C')),
      }),
    }),
  });
  const settled = (json: unknown): Tree => settle(tree(JSON.stringify(json)));

  it('changes nothing with an empty file, or with the same file again', () => {
    fc.assert(
      fc.property(stack, (json) => {
        const base = settled(json);
        expect(toPlain(mergeTrees(base, tree('{}')))).toEqual(toPlain(base));
        const once = mergeTrees(base, settled(json));
        expect(toPlain(mergeTrees(once, settled(json)))).toEqual(toPlain(once));
      }),
    );
  });

  it('does not care how three files are grouped', () => {
    const mappings = fc.record({
      services: fc.dictionary(
        fc.constantFrom('a', 'b'),
        fc.record({
          environment: fc.dictionary(fc.constantFrom('A', 'B', 'C'), scalar),
          cap_add: fc.array(fc.constantFrom('A', 'B', 'C')),
        }),
      ),
    });
    fc.assert(
      fc.property(mappings, mappings, mappings, (a, b, c) => {
        const [x, y, z] = [settled(a), settled(b), settled(c)];
        expect(toPlain(mergeTrees(mergeTrees(x, y), z))).toEqual(toPlain(mergeTrees(x, mergeTrees(y, z))));
      }),
    );
  });
});
