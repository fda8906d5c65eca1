import type {CaseFile} from './cases.mjs';

export function writeFiles(root: string, files: Readonly<Record<string, CaseFile>>): void;
