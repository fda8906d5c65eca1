import {test} from 'vitest';
import {runKills} from './kill-scenario.ts';

const seed = Number(process.env['TSCOMPOSE_TEST_SEED'] ?? Date.now() % 1_000_000);

test(`200 kills at random moments (TSCOMPOSE_TEST_SEED=${seed})`, {timeout: 3_600_000}, () => runKills(200, seed));
