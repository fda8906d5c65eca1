import {inputsOf, type Step} from '../steps.ts';

type Members = Readonly<Record<string, unknown>>;

/** The steps of a build as a graph, by the names that BuildKit has for its operations. What secrets hold is in none. */
export function definitionOf(steps: readonly Step[]): Members {
  return {
    llbDefinition: steps.map((step) => {
      const inputs = inputsOf(step).map((id) => `step${id}:0`);
      return {id: `step${step.id}`, op: {Op: operationOf(step)}, ...(inputs.length > 0 ? {inputs} : {})};
    }),
  };
}

function operationOf(step: Step): Members {
  switch (step.kind) {
    case 'image':
      return {source: {identifier: `docker-image://${step.image}`}};
    case 'run': {
      const {words: args, env, cwd, user, network, insecure} = step;
      const mounts = [{dest: '/'}, ...step.mounts.map(({type, target}) => ({dest: target, mountType: type}))];
      const meta = {args, env, cwd, ...(user === '' ? {} : {user})};
      return {exec: {meta, mounts, network, ...(insecure ? {security: 'insecure'} : {})}};
    }
    case 'copy': {
      const {target: dest, owner, chmod} = step;
      const actions = step.copies.flatMap(({sources}) =>
        sources.map((src) => ({
          Action: {copy: {src, dest, ...(owner && {owner}), ...(chmod && {mode: chmod}), createDestPath: true}},
        })),
      );
      return {file: {actions}};
    }
    case 'directory':
      return {file: {actions: [{Action: {mkdir: {path: step.path, mode: 0o755, makeParents: true}}}]}};
  }
}
