/** How a case differs from what Compose does: it refuses or accepts alone, prints other JSON, or [Compose's, our] text. */
export interface Difference {
  readonly why: string;
  readonly ours: 'refuses' | 'accepts' | 'json' | readonly (readonly [string, string])[];
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
  'differs-long-device-without-target': {why: 'a device has its own name where no other is given', ours: 'accepts'},
  'differs-real-time-duration': {why: 'the specification allows a duration', ours: 'accepts'},
  'differs-hook-with-empty-command': {why: 'a hook without a command would fail when it is run', ours: 'refuses'},
  'differs-device-rule': {why: 'it would fail only when the container is made', ours: 'refuses'},
  'differs-pid-unknown': {why: 'it would fail only when the container is made', ours: 'refuses'},
  'differs-ipc-unknown': {why: 'it would fail only when the container is made', ours: 'refuses'},
  'differs-security-option': {why: 'it would fail only when the container is made', ours: 'refuses'},
  'differs-swappiness': {why: 'it would fail only when the container is made', ours: 'refuses'},
  'differs-volumes-from-mode': {why: 'it would fail only when the container is made', ours: 'refuses'},
  'differs-pre-start': {why: 'the specification has it since Compose 5.3', ours: 'accepts'},
  'differs-build-no-cache-filter': {why: 'the specification has it since Compose 5', ours: 'accepts'},
  'differs-build-ssh-key': {why: 'Compose fails to print a key as JSON', ours: 'accepts'},
  'differs-api-socket-text': {why: 'a variable gives text', ours: 'accepts'},
  'differs-secret-driver': {why: 'where it comes from is asked at "up", as for an external one', ours: 'accepts'},
  'differs-cpu-percent': {why: 'the engine takes a part of a percent', ours: 'accepts'},
  'differs-reservation-without-capabilities': {
    why: 'the specification asks for capabilities or a driver',
    ours: 'accepts',
  },
  'attribute-models': {why: 'Compose leaves models out of its JSON', ours: 'json'},
  'attribute-merge': {why: 'Compose leaves models out of its JSON', ours: 'json'},
  'attribute-blkio': {why: 'in JSON Compose prints names that it does not read', ours: 'json'},
  'differs-watch-exec-missing': {why: 'it would fail only when a file changes', ours: 'refuses'},
  'differs-watch-bad-pattern': {why: 'it would fail only when watching begins', ours: 'refuses'},
  'differs-watch-initial-sync-text': {why: 'a variable gives text', ours: 'accepts'},
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
