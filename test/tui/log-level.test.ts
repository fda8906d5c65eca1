import {expect, test} from 'vitest';
import {logLevel} from '../../src/tui/log-level.ts';

test.each([
  ['error', 'ERROR pool timeout'],
  ['error', '2026-01-02 12:04:31 ERROR [main] x'],
  ['error', '[error] 7#7: *1 open() failed'],
  ['error', 'fatal: cannot reach queue'],
  ['error', '{"level":"error","msg":"x"}'],
  ['error', '{"level":50,"msg":"x"}'],
  ['error', 'level=error msg=x'],
  ['error', 'TypeError: x is not a function'],
  ['error', 'java.lang.IllegalStateException: x'],
  ['error', 'Traceback (most recent call last):'],
  ['error', 'FATAL:  sorry, too many clients already'],
  ['error', '10.0.0.1 - - "GET / HTTP/1.1" 502 12 "-"'],
  ['warning', 'WARN slow query'],
  ['warning', 'npm warning: x'.replace('npm ', '')],
  ['warning', '{"level":"warn"}'],
  ['warning', 'lvl=warn x'],
  ['info', 'LOG:  database system is ready'],
  ['info', '{"severity":"INFO"}'],
  ['info', '[notice] 1#1: start worker processes'],
  ['debug', 'DEBUG x'],
  ['debug', '{"level":20}'],
  ['none', 'GET /products 200 12ms'],
  ['none', 'no errors were found'],
  ['none', '{"msg":"ERROR in the text"}'],
  ['none', `${'x'.repeat(200)} ERROR`],
  ['none', '10.0.0.1 - - "GET / HTTP/1.1" 200 12 "-"'],
])('%s: %s', (level, text) => {
  expect(logLevel(text)).toBe(level);
});
