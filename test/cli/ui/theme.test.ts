import {expect, test} from 'vitest';
import type {CliContext} from '../../../src/cli/context.ts';
import {uiTheme} from '../../../src/cli/ui/theme.ts';

function theme(env: Readonly<Record<string, string>>, {color = true, ascii = false} = {}) {
  return uiTheme({env, stdout: {}, color: () => color} as unknown as CliContext, ascii);
}

const utf8 = {LANG: 'de_DE.UTF-8'};

test.each([
  [
    {...utf8, TERM: 'xterm-256color'},
    {color: '256', ascii: false},
  ],
  [
    {...utf8, TERM: 'xterm', COLORTERM: 'truecolor'},
    {color: '256', ascii: false},
  ],
  [
    {...utf8, TERM: 'xterm'},
    {color: 'basic', ascii: false},
  ],
  [
    {...utf8, TERM: 'linux'},
    {color: 'basic', ascii: true},
  ],
  [{TERM: 'xterm-256color'}, {color: '256', ascii: true}],
  [
    {...utf8, LC_ALL: 'C', TERM: 'xterm-256color'},
    {color: '256', ascii: true},
  ],
  [
    {LC_ALL: '', LC_CTYPE: 'C.utf8', LANG: 'C', TERM: 'xterm'},
    {color: 'basic', ascii: false},
  ],
  [
    {...utf8, TERM: 'xterm', COLORFGBG: '15;0'},
    {color: 'basic', ascii: false, background: 'dark'},
  ],
  [
    {...utf8, TERM: 'xterm', COLORFGBG: '0;default;15'},
    {color: 'basic', ascii: false, background: 'light'},
  ],
  [
    {...utf8, TERM: 'xterm', COLORFGBG: 'default;default'},
    {color: 'basic', ascii: false},
  ],
])('%j looks like %j', (env, expected) => {
  expect(theme(env)).toEqual(expected);
});

test('without colours and with --ascii', () => {
  expect(theme({...utf8, TERM: 'xterm-256color'}, {color: false, ascii: true})).toEqual({color: 'none', ascii: true});
});
