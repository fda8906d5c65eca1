import type {Span, StyleName, Theme} from './types.ts';

type Background = NonNullable<Span['background']>;

/**
 * Blue for what is well, orange for what is not: the pair that people with any kind of colour blindness can tell apart.
 * All are readable on light and on dark; grey text and the bar of the selection are the same on both only where the
 * terminal's background is known.
 */
const palette256: Readonly<Record<StyleName, string>> = {
  plain: '',
  dim: '38;5;244',
  strong: '1',
  title: '1',
  good: '38;5;32',
  busy: '38;5;67',
  warning: '38;5;172',
  bad: '1;38;5;202',
  error: '38;5;202',
  accent: '1;38;5;32',
  key: '1',
  border: '38;5;240',
  cpu: '38;5;67',
  memory: '38;5;67',
  service0: '38;5;67',
  service1: '38;5;136',
  service2: '38;5;97',
  service3: '38;5;72',
  service4: '38;5;132',
  service5: '38;5;102',
};

const paletteBasic: Readonly<Record<StyleName, string>> = {
  plain: '',
  dim: '2',
  strong: '1',
  title: '1',
  good: '36',
  busy: '34',
  warning: '33',
  bad: '1;31',
  error: '31',
  accent: '1;36',
  key: '1',
  border: '2',
  cpu: '36',
  memory: '36',
  service0: '36',
  service1: '33',
  service2: '35',
  service3: '34',
  service4: '32',
  service5: '37',
};

/** Without colours bold text, underlining and reversal stay: they are no colours. */
const paletteNone: Readonly<Record<StyleName, string>> = {
  plain: '',
  dim: '',
  strong: '1',
  title: '1',
  good: '',
  busy: '',
  warning: '',
  bad: '1',
  error: '',
  accent: '1',
  key: '1',
  border: '',
  cpu: '',
  memory: '',
  service0: '',
  service1: '',
  service2: '',
  service3: '',
  service4: '',
  service5: '',
};

/** The parameters of the SGR sequence for a span; empty: none is needed. */
export function sgrOf({style, background, sgr}: Span, theme: Theme): string {
  const look = theme.color === 'none' ? paletteNone : theme.color === '256' ? palette256 : paletteBasic;
  const parts = [look[style]];
  if (sgr !== undefined && theme.color !== 'none') parts.push(sgr);
  if (background !== undefined) parts.push(backgroundOf(background, theme));
  return parts.filter((part) => part !== '').join(';');
}

function backgroundOf(background: Background, {color, background: terminal}: Theme): string {
  switch (background) {
    case 'match':
      return color === '256' ? '38;5;16;48;5;180' : color === 'basic' ? '30;43' : '4';
    case 'currentMatch':
      return color === '256' ? '1;38;5;16;48;5;214' : '1;7';
    case 'cursor':
      return '7';
    case 'selection':
      if (color !== '256' || terminal === undefined) return '1';
      return terminal === 'dark' ? '48;5;236' : '48;5;254';
  }
}
