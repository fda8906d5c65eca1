/** How a case differs from what Compose does: it refuses or accepts alone, or prints [Compose's, our] text. */
export interface Difference {
  readonly why: string;
  readonly ours: 'refuses' | 'accepts' | readonly (readonly [string, string])[];
}

/** Every case in which Compose and we differ, with the reason. A difference that is gone fails the test. */
export const differences: Readonly<Record<string, Difference>> = {
  'differs-restart-policy': {why: 'an unknown policy would fail only when the container is made', ours: 'refuses'},
  'differs-port-published-twice': {why: 'it would fail only when the container starts', ours: 'refuses'},
  'differs-unknown-tag': {why: 'a mistyped !reset must not go unnoticed', ours: 'refuses'},
  'differs-volume-with-empty-parts': {why: 'a volume needs a target', ours: 'refuses'},
  'differs-merge-ipam': {
    why: 'Compose loses the pools that the later file does not name',
    ours: [['- subnet: 10.1.0.0/24', '- subnet: 10.2.0.0/24']],
  },
  'differs-build': {why: 'not supported yet', ours: 'refuses'},
  'differs-external-secret': {why: 'Compose refuses it at "up": external secrets belong to a swarm', ours: 'refuses'},
  'differs-date': {why: 'a date is as good a text as any', ours: 'accepts'},
  'differs-key-of-another-type': {why: 'a name is text, however it looks', ours: 'accepts'},
  'differs-memory-as-number': {why: 'a number of bytes is no less clear than elsewhere', ours: 'accepts'},
  'differs-security-opt-repeated': {why: 'the same option twice is one', ours: 'accepts'},
  'differs-one-letter-volume': {
    why: 'there are no drive letters on Linux',
    ours: [['target: ro', 'source: v\n        target: /data']],
  },
  'differs-relative-target': {
    why: 'targets are printed as they are used',
    ours: [
      ['target: short', 'target: /run/secrets/short'],
      ['target: short', 'target: /short'],
    ],
  },
};
