/** How a case differs from what Compose does: it refuses or accepts alone, prints other JSON, or [Compose's, our] text. */
export interface Difference {
  readonly why: string;
  readonly ours: 'refuses' | 'accepts' | 'json' | readonly (readonly [string, string])[];
}

const dependency = 'an optional dependency on what takes no part would be refused when what is printed is read again';

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
  'documents-empty': {why: 'an empty document says nothing', ours: 'accepts'},
  'several-files-null-section': {why: 'a section without members says nothing', ours: 'accepts'},
  'interpolate-default-over-lines': {why: 'a default may have several lines', ours: 'accepts'},
  'interpolate-keys': {
    why: 'keys are not interpolated, so there is nothing to escape: read again, two dollar signs would stay',
    ours: [['$${A}: "1"', '      ${A}: "1"']],
  },
  'interpolate-lazy-default': {why: 'Compose 5 looks only at what is used', ours: 'accepts'},
  'interpolate-lazy-message': {why: 'Compose 5 looks only at what is used', ours: 'accepts'},
  'interpolate-lazy-alternative': {why: 'Compose 5 looks only at what is used', ours: 'accepts'},
  'merge-secrets-and-configs': {
    why: 'targets are printed as they are used, and the usual ones of configs not at all',
    ours: [
      ['- source: c\n        target: /c', '- source: c\n      - source: e'],
      ['target: here', 'target: /run/secrets/here'],
    ],
  },
  'anchors-reset': {
    why: 'what is taken away is gone, wherever it came from',
    ours: [
      ['"1"\n    networks:\n      default: null\n    ports:', '"1"\n    networks:\n      default: null\nnetworks:'],
    ],
  },
  'extends-unknown-member': {why: 'a mistyped attribute must not go unnoticed', ours: 'refuses'},
  'include-unknown-member': {why: 'a mistyped attribute must not go unnoticed', ours: 'refuses'},
  'include-extended-here': {why: 'Compose 5 includes first, then extends', ours: 'accepts'},
  'include-local-wins': {why: 'Compose 5 lays what is said here over what is included', ours: 'accepts'},
  'include-incomplete': {why: 'Compose 5 lays what is said here over what is included', ours: 'accepts'},
  'include-networks': {why: 'Compose 5 lays what is said here over what is included', ours: 'accepts'},
  'include-reset-here': {why: 'Compose 5 lays what is said here over what is included', ours: 'accepts'},
  'extensions-in-environment': {
    why: 'a variable that begins with "x-" is one like any other',
    ours: [['#extensions', 'x-a: "1"']],
  },
  'depends-on': {
    why: dependency,
    ours: [['gone:\n        condition: service_started', 'required: true\n    image: x']],
  },
  'profiles-optional-dependency': {why: dependency, ours: [['required: false', 'image: a\n    networks']]},
  'paths-volume-device': {
    why: '"local" is the driver where none is named, and the path is relative there, too',
    ours: [['device: ./data', 'device: /srv/stack/data']],
  },
  'mounts-short-path': {
    why: 'an anonymous volume is printed the same, however short its path is',
    ours: [['target: /x', 'target: /x\n        volume: {}']],
  },
  'cpus-beside-other-limits': {why: 'limits of other things say nothing of the processors', ours: 'accepts'},
  'yaml-directive': {why: 'a file of YAML 1.2 is one', ours: 'accepts'},
  'yaml-quoting': {why: 'older readers take "<<" for a merge key', ours: [['m: <<', 'm: "<<"']]},
};

/**
 * The same of the rows of `attributes/rows`, by the row's path or the beginning of it, with the reason. A difference that is
 * gone fails the test.
 */
export const attributeDifferences: Readonly<Record<string, string>> = {
  'services.*.build.no_cache_filter': 'the specification has it since Compose 5',
  'services.*.build.ssh': 'Compose refuses to merge a list of keys',
  'services.*.pre_start': 'the specification has it since Compose 5.3',
  'services.*.configs[].target': 'a target is printed as it is used',
  'services.*.secrets': 'a target is printed as it is used, and two secrets at one path are one',
  'services.*.extra_hosts': 'the same address twice is one',
  'services.*.group_add': 'Compose refuses a group that both files name',
  'services.*.cpu_rt_': 'the specification allows a duration',
  'services.*.ulimits': 'Compose prints nothing of a limit of 0',
  'services.*.blkio_config': 'in JSON Compose prints names that it does not read',
  'networks.*.external.name': 'Compose refuses to merge the old form',
  'volumes.*.external.name': 'Compose refuses to merge the old form',
  'configs.*.external.name': 'Compose refuses to merge the old form',
  'secrets.*.external.name': 'Compose refuses to merge the old form',
  'networks.*.ipam.config[].subnet': 'Compose loses the pools that the later file does not name',
  'networks.*.ipam.options': 'Compose reads and forgets them',
  models: 'Compose leaves models out of its JSON',
  'configs.*.driver': 'where it comes from is asked at "up", as for an external one',
  'secrets.*.driver': 'where it comes from is asked at "up", as for an external one',
};
