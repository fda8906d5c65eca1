import {TscomposeError} from '../base/errors.ts';
import type {ProjectLocks} from './engine.ts';
import type {Helper} from './helper/coprocess.ts';
import type {Layout} from './layout.ts';

/** A project's name is part of a file's name. */
const projectName = /^[a-z0-9][a-z0-9_-]*$/;

export function createProjectLocks(layout: Layout, helper: Pick<Helper, 'lock'>): ProjectLocks {
  return {
    async acquire(project, options = {}) {
      if (!projectName.test(project)) throw new TscomposeError('invalid', `invalid project name "${project}"`);
      return await helper.lock(layout.locks.project(project), options);
    },
  };
}
