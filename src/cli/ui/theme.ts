import type {Theme} from '../../tui/types.ts';
import type {CliContext} from '../context.ts';

/** How the screen may look, by what the surroundings say of the terminal. */
export function uiTheme(context: CliContext, ascii: boolean): Theme {
  const {env, stdout} = context;
  const term = env['TERM'] ?? '';
  const behind = background(env['COLORFGBG']);
  const many = /256color|direct|truecolor/.test(term) || /^(truecolor|24bit)$/.test(env['COLORTERM'] ?? '');
  return {
    color: !context.color(stdout) ? 'none' : many ? '256' : 'basic',
    // The console of Linux has few glyphs beyond its code page.
    ascii: ascii || term === 'linux' || !isUnicode(env),
    ...(behind === undefined ? {} : {background: behind}),
  };
}

/** The character set of the locale, in the order in which POSIX looks for it; without any it is ASCII. */
function isUnicode(env: CliContext['env']): boolean {
  const locale =
    [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((value) => value !== undefined && value !== '') ?? '';
  return /utf-?8/i.test(locale);
}

/** `15;0`: colours of text and background, as rxvt, Konsole and others tell them. */
function background(text: string | undefined): Theme['background'] {
  const last = Number(text?.split(';').at(-1) || 'none');
  if (Number.isNaN(last)) return undefined;
  return last === 7 || last > 8 ? 'light' : 'dark';
}
