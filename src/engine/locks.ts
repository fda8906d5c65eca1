import {TscomposeError} from '../base/errors.ts';
import {rm} from './at-once.ts';
import type {ProjectLocks} from './engine.ts';
import type {Helper} from './helper/coprocess.ts';
import type {Layout} from './layout.ts';

/** A project's name is part of a file's name. */
const projectName = /^[a-z0-9][a-z0-9_-]*$/;

/** A lock's file is there only while somebody holds it or waits for it. */
export function createProjectLocks(layout: Layout, helper: Pick<Helper, 'lock'>): ProjectLocks {
  return {
    async acquire(project, options = {}) {
      if (!projectName.test(project)) throw new TscomposeError('invalid', `invalid project name "${project}"`);
      const path = layout.locks.project(project);
      const lock = await helper.lock(path, options);
      return {
        // The file goes while the lock is still held: whoever waits for it sees that, and makes a new one.
        async [Symbol.asyncDispose]() {
          await rm(path, {force: true});
          await lock[Symbol.asyncDispose]();
        },
      };
    },
  };
}
