import {expect, test} from 'vitest';
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
const known = (serveraddress: string) => ({username: 'ada', password: 'lovelace', serveraddress});

test('a build is sent with the credentials of Docker Hub and of the registries that it names, and no others', async () => {
  const body = plainBody('ARG R\nFROM one.example:5000/a\nFROM $R/b\nFROM c\nFROM four.example/d', {
    arguments: {R: 'two.example'},
  });
  const {auths, ...rest} = await withAuths({env}, body);
  expect(rest).toEqual(body);
  expect(auths).toEqual({
    'https://index.docker.io/v1/': known('https://index.docker.io/v1/'),
    'one.example:5000': known('one.example:5000'),
    'two.example': known('two.example'),
  });
});

test('contexts that are images count', async () => {
  const contexts = {base: {kind: 'image', reference: 'three.example/x'}} as const;
  const {auths} = await withAuths({env}, plainBody('FROM base\n', {contexts}));
  expect(Object.keys(auths ?? {})).toContain('three.example');
});

test('without credentials nothing is sent', async () => {
  expect((await withAuths({env: {}}, plainBody('FROM a\n'))).auths).toEqual({});
});
