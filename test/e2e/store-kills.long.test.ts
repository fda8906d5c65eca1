import {test} from 'vitest';
import {killStore} from './store-kills/scenario.ts';

const seed = Number(process.env['TSCOMPOSE_TEST_SEED'] ?? Date.now() % 1_000_000);

test(`the store of images, after 200 kills (TSCOMPOSE_TEST_SEED=${seed})`, {timeout: 5_400_000}, () =>
  killStore(200, seed),
);
