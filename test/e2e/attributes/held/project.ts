import {expect} from 'vitest';
import {containersOf, type Held, inspected, main} from './facts.ts';

/** What says how many there are, and when they come. */
export const ofProject: Readonly<Record<string, Held>> = {
  scale: {
    service: 'scaled',
    says: {scale: 2},
    has: async (stack) => expect(await containersOf(stack, 'scaled')).toHaveLength(2),
  },
  profiles: {
    service: 'optional',
    says: {profiles: ['extra']},
    has: async ({host}) => {
      const {stdout} = await host.tscompose(['ps', '-a', '--format', 'json']);
      expect(stdout).toContain('attributes-main-1');
      expect(stdout).not.toContain('attributes-optional-1');
    },
  },
  depends_on: {
    service: main,
    says: {depends_on: {first: {condition: 'service_completed_successfully'}}},
    has: async ({inspect}) => {
      const [first, second] = await Promise.all([inspect('attributes-first-1'), inspect('attributes-main-1')]);
      expect(first.State.ExitCode).toBe(0);
      expect(first.State.FinishedAt < second.State.StartedAt).toBe(true);
    },
  },
  pull_policy: {
    service: main,
    says: {pull_policy: 'never'},
    has: inspected(main, ({State}) => expect(State.Running).toBe(true)),
  },
  pull_refresh_after: {
    service: main,
    says: {pull_policy: 'refresh', pull_refresh_after: '24h'},
    has: inspected(main, ({State}) => expect(State.Running).toBe(true)),
  },
  isolation: {
    service: main,
    says: {isolation: 'default'},
    has: inspected(main, ({HostConfig}) => expect(HostConfig.Isolation ?? 'default').toBe('default')),
  },
};
