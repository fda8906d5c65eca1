import fc from 'fast-check';

/** Texts that are hard on a terminal: wide and combining characters, emoji sequences, escape sequences, controls. */
const pieces = [
  'plain words and 12ms',
  '测试 テスト 한국어',
  '👩‍👩‍👧‍👦',
  '👍🏽',
  '🇩🇪🇫🇷',
  '☎️ ✈︎',
  'e\u0301a\u0300\u0316\u0301',
  'ก็ำ नि ம்',
  '\u200b\u200d\u2066\u202e\ufeff\u00ad',
  '\u1160\u3164\uffa0',
  'ｗｉｄｅ',
  '\t',
  '\r',
  '\n',
  '\0\x07\x08\x0b\x0c\x0e\x0f\x7f',
  '\x85\x9b2J\x9d0;owned\x9c',
  '\ud800',
  '\udc00x',
  '\x1b[2J\x1b[H',
  '\x1b[31mred',
  '\x1b[0m',
  '\x1b[1;4;7;38;5;208;48;2;1;2;3m',
  '\x1b[5;8mhidden',
  '\x1b[38;5m\x1b[38;2;1m\x1b[;;m\x1b[4:3m',
  '\x1b[?1049h\x1b[?25l\x1b[?1000h',
  '\x1b]0;owned\x07',
  '\x1b]52;c;ZXZpbA==\x1b\\',
  '\x1b]8;;http://example.com\x1b\\link\x1b]8;;\x1b\\',
  '\x1bP+q544e\x1b\\',
  '\x1b[6n\x1b[c\x1bZ',
  '\x1bc\x1b7\x1b8\x1bM',
  '\x1b[10;10H\x1b[A\x1b[K',
  '\x1b[',
  '\x1b]never closed',
  '\x1b',
  '$ ^ [ ( \\',
] as const;

export const anyText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      {weight: 4, arbitrary: fc.constantFrom(...pieces)},
      {weight: 1, arbitrary: fc.string({unit: 'binary', maxLength: 12})},
      {weight: 1, arbitrary: fc.string({unit: 'grapheme', maxLength: 12})},
    ),
    {maxLength: 8},
  )
  .map((parts) => parts.join(''));
