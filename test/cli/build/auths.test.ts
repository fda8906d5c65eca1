import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import type {Diagnostic} from '../../../src/base/diagnostic.ts';
import {withAuths} from '../../../src/cli/build/auths.ts';
import {plainBody} from '../../engine/build/plain-body.ts';

const auth = Buffer.from('ada:lovelace').toString('base64');
const file = {
  auths: {
    'https://index.docker.io/v1/': {auth},
    'one.example:5000': {auth},
    'two.example': {auth},
    'three.example': {auth},
    'four.example': {},
  },
};
const env = {DOCKER_AUTH_CONFIG: JSON.stringify(file)};
const untold = (warning: Diagnostic) => expect.unreachable(warning.message);
const known = (serveraddress: string) => ({username: 'ada', password: 'lovelace', serveraddress});

test('a build is sent with the credentials of Docker Hub and of the registries that it names, and no others', async () => {
  const body = plainBody('ARG R\nFROM one.example:5000/a\nFROM $R/b\nFROM c\nFROM four.example/d', {
    arguments: {R: 'two.example'},
  });
  const {auths, ...rest} = await withAuths({env}, body, untold);
  expect(rest).toEqual(body);
  expect(auths).toEqual({
    'https://index.docker.io/v1/': known('https://index.docker.io/v1/'),
    'one.example:5000': known('one.example:5000'),
    'two.example': known('two.example'),
  });
});

test('contexts that are images count', async () => {
  const contexts = {base: {kind: 'image', reference: 'three.example/x'}} as const;
  const {auths} = await withAuths({env}, plainBody('FROM base\n', {contexts}), untold);
  expect(Object.keys(auths ?? {})).toContain('three.example');
});

test('without credentials nothing is sent', async () => {
  expect((await withAuths({env: {}}, plainBody('FROM a\n'), untold)).auths).toEqual({});
});

test('where the program that keeps credentials is missing, registries are asked without them, and that is told', async () => {
  const home = mkdtempSync(join(tmpdir(), 'tsc-auths-'));
  try {
    const content = JSON.stringify({credsStore: 'nowhere', auths: {'https://index.docker.io/v1/': {}}});
    writeFileSync(join(home, 'config.json'), content);
    const told: Diagnostic[] = [];
    const {auths} = await withAuths({env: {DOCKER_CONFIG: home}}, plainBody('FROM a\n'), (one) => told.push(one));
    expect(auths).toEqual({});
    expect(told).toEqual([
      {
        ...{severity: 'warning', code: 'no-credentials'},
        message:
          'cannot run the credential helper docker-credential-nowhere: it is not installed; docker.io is asked without a login',
        hint: 'install it, or remove "credsStore" and "credHelpers" from the Docker configuration',
      },
    ]);
  } finally {
    rmSync(home, {recursive: true});
  }
});
