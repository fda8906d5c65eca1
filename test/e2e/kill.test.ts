import {test} from 'vitest';
import {runKills} from './kill-scenario.ts';

const seed = Number(process.env['TSCOMPOSE_TEST_SEED'] ?? Date.now() % 1_000_000);

test(`25 kills at random moments (TSCOMPOSE_TEST_SEED=${seed})`, {timeout: 1_200_000}, () => runKills(25, seed));
