import {test} from 'vitest';
import {runMany} from './many-scenario.ts';

test('five hundred containers at once', {timeout: 600_000}, async () => {
  await runMany(500);
});
