import {describe, expect, it} from 'vitest';
import {type Diagnostic, renderDiagnostic, renderDiagnostics} from '../../src/base/diagnostic.ts';

const unknown: Diagnostic = {
  severity: 'error',
  code: 'unknown-key',
  message: 'services.api: unknown attribute "enviroment"',
  file: 'compose.yaml',
  line: 5,
  column: 5,
  length: 10,
  excerpt: '    enviroment:',
  hint: 'did you mean "environment"?',
};

describe('renderDiagnostic', () => {
  it('shows a sign for what a terminal would act on, and points at the right place all the same', () => {
    const text = renderDiagnostic({
      ...{severity: 'error', code: 'unknown-key', message: 'services.a: unknown attribute "\x1b[2Jfoo"'},
      ...{
        file: 'a\rb.yaml',
        line: 1,
        column: 8,
        length: 3,
        excerpt: 'a: {\x9b\u202e, foo: 3}\x07',
        hint: '\x1b]0;t\x07',
      },
      related: {message: 'first \x1bc', file: '\b.yaml', line: 1, column: 1},
      output: ['\x1b[31mred\tend'],
    });
    expect(text.split('\n')).toEqual([
      'error[unknown-key]: services.a: unknown attribute "\ufffd[2Jfoo"',
      ' --> a\ufffdb.yaml:1:8',
      '  |',
      '1 | a: {\ufffd\ufffd, foo: 3}\ufffd',
      '  |        ^^^ \ufffd]0;t\ufffd',
      '  = first \ufffdc: \ufffd.yaml:1:1',
      '  = it said last:',
      '      \ufffd[31mred\tend',
    ]);
  });

  it('shows the line and points at the place', () => {
    expect(renderDiagnostic(unknown)).toBe(
      [
        'error[unknown-key]: services.api: unknown attribute "enviroment"',
        ' --> compose.yaml:5:5',
        '  |',
        '5 |     enviroment:',
        '  |     ^^^^^^^^^^ did you mean "environment"?',
      ].join('\n'),
    );
  });

  it('names a second place', () => {
    const related = {message: 'given first', file: 'compose.yaml', line: 3, column: 5};
    expect(
      renderDiagnostic({...unknown, related})
        .split('\n')
        .at(-1),
    ).toBe('  = given first: compose.yaml:3:5');
  });

  it('does without a place', () => {
    const {severity, code, message, hint} = {...unknown, hint: 'name the file with -f'};
    expect(renderDiagnostic({severity, code, message, hint})).toBe(
      `error[unknown-key]: ${message}\n = name the file with -f`,
    );
  });

  it('keeps carets below wide characters and tabs', () => {
    const excerpt = '\t名前: x';
    const lines = renderDiagnostic({...unknown, excerpt, column: 2, length: 2}).split('\n');
    expect(lines.at(-1)).toBe('  | \t^^^^ did you mean "environment"?');
  });

  it('shows only a part of a long line', () => {
    const excerpt = `${'a'.repeat(200)}HERE${'b'.repeat(200)}`;
    const lines = renderDiagnostic({...unknown, excerpt, column: 201, length: 4}).split('\n');
    expect(lines[3]).toBe(`5 | …${'a'.repeat(59)}HERE${'b'.repeat(59)}…`);
    expect(lines[4]?.indexOf('^')).toBe(lines[3]?.indexOf('HERE'));
  });

  it('paints only when asked', () => {
    expect(renderDiagnostic(unknown)).not.toContain('\u001b');
    expect(renderDiagnostic(unknown, {color: true})).toContain('\u001b[31merror[unknown-key]\u001b[39m');
  });

  it('parts several by an empty line', () => {
    expect(renderDiagnostics([unknown, {...unknown, severity: 'warning'}]).split('\n\n')).toHaveLength(2);
  });
});
