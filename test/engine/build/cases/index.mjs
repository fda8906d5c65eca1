// Builds that are carried out by us and were by BuildKit (scripts/record-builds.mjs, test/recorded/builds.json).
import {adds} from './adds.mjs';
import {copies} from './copies.mjs';
import {copyFlags} from './copy-flags.mjs';
import {failures} from './failures.mjs';
import {heredocs} from './heredocs.mjs';
import {ignores} from './ignores.mjs';
import {mounts} from './mounts.mjs';
import {runs} from './runs.mjs';
import {settings} from './settings.mjs';
import {stages} from './stages.mjs';
import {triggers} from './triggers.mjs';
import {variables} from './variables.mjs';
import {verdicts} from './verdicts.mjs';

export const cases = [
  ...[...copies, ...copyFlags, ...adds, ...heredocs, ...ignores, ...settings, ...triggers, ...variables],
  ...[...runs, ...mounts, ...stages, ...failures, ...verdicts],
];
