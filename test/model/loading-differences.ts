import type {Difference} from './config-differences.ts';

export const loadingDifferences: Readonly<Record<string, Difference>> = {};
