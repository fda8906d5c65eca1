// What a service says of its image, what is on the machine and on the registry, and what is asked of it: every case in which
// it is to be known whether an image is pulled, built, or used as it is. The recorder asks Docker Compose about each
// (scripts/record-pull-policies.mjs), the test ours.

const policies = ['none', 'always', 'missing', 'if_not_present', 'never', 'build', 'daily', 'every_1s'];

/** By name: the words of a command, and whether it builds or pulls at all. */
export const pullCommands = {
  up: ['up', '--no-start'],
  'up --build': ['up', '--no-start', '--build'],
  'up --no-build': ['up', '--no-start', '--no-build'],
  'up --pull always': ['up', '--no-start', '--pull', 'always'],
  'up --pull missing': ['up', '--no-start', '--pull', 'missing'],
  'up --pull never': ['up', '--no-start', '--pull', 'never'],
  pull: ['pull'],
  'pull --ignore-buildable': ['pull', '--ignore-buildable'],
  'pull --policy always': ['pull', '--policy', 'always'],
  'pull --policy missing': ['pull', '--policy', 'missing'],
};

/** `image`: it has a name alone. `both`: it has a name and can be built. `build`: it is called after its service. */
const kinds = ['image', 'both', 'build'];

function isWorthAsking({kind, policy, command}) {
  // What a flag says is said of all policies alike.
  if (command.includes('--pull ') && !['none', 'build', 'never'].includes(policy)) return false;
  if (kind === 'build' && !['none', 'always', 'never', 'build'].includes(policy)) return false;
  return policy !== 'if_not_present' || command === 'up' || command === 'pull';
}

/** Every case once, with a name that is its key in the recording. */
export function pullCases() {
  const cases = [];
  for (const kind of kinds) {
    for (const policy of policies) {
      for (const command of Object.keys(pullCommands)) {
        for (const isHere of [true, false]) {
          for (const isThere of kind === 'build' ? [false] : [true, false]) {
            const one = {kind, policy, command, isHere, isThere};
            if (!isWorthAsking(one)) continue;
            cases.push({
              ...one,
              name: [kind, policy, command, isHere ? 'here' : 'not here', isThere ? 'there' : 'not there'].join(', '),
            });
          }
        }
      }
    }
  }
  return cases;
}
