import {didYouMean} from '../../base/suggest.ts';
import type {Service} from '../types.ts';
import type {Attribute} from './attribute.ts';
import {items} from './limits.ts';
import {itself} from './process.ts';
import {list, refine, text, wrong} from './readers.ts';

type Row<K extends keyof Service> = Attribute<Exclude<Service[K], undefined>>;

const capability = refine(text, (value, node, context) =>
  /^[A-Za-z_]+$/.test(value)
    ? value
    : wrong(node, context, {message: `"${value}" is not a capability`, hint: 'write a name like NET_ADMIN, or ALL'}),
);

const cap_add: Row<'cap_add'> = {
  merge: {unique: itself},
  read: list(capability),
  lower: (value, {host}) => {
    host.CapAdd = value;
  },
  change: 'recreate',
};

const cap_drop: Row<'cap_drop'> = {
  merge: {unique: itself},
  read: list(capability),
  lower: (value, {host}) => {
    host.CapDrop = value;
  },
  change: 'recreate',
};

/** `:` between name and value is the old spelling of `=`. */
const option = refine(text, (value, node, context) =>
  /^(?:seccomp|apparmor|label|systempaths|no-new-privileges|credentialspec)(?:[:=]|$)/.test(value)
    ? value
    : wrong(node, context, {
        message: `"${value}" is not a security option`,
        hint:
          didYouMean(value, [
            'no-new-privileges',
            'no-new-privileges:true',
            'seccomp=unconfined',
            'apparmor=unconfined',
            'systempaths=unconfined',
          ]) ?? 'the options are no-new-privileges:true, seccomp=…, apparmor=…, label=… and systempaths=unconfined',
      }),
);

/** What the built-in engine does, or what asks for nothing there. */
const known =
  /^(?:no-new-privileges(?:[:=](?:true|false))?|seccomp[:=](?:unconfined|builtin)|apparmor[:=]unconfined|label[:=]disable)$/;
const ownProfile = /^seccomp[:=](?!unconfined$|builtin$)/;

const security_opt: Row<'security_opt'> = {
  read: list(option),
  lower: (value, {host}) => {
    host.SecurityOpt = [...(host.SecurityOpt ?? []), ...value];
  },
  change: 'recreate',
  limits: [
    items(
      'tscompose',
      {
        of: 'seccomp=FILE',
        reason: 'seccomp profiles are not read from files',
        hint: 'remove it to get the default profile, or turn the filter off with seccomp=unconfined',
      },
      (value: string) => ownProfile.test(value),
    ),
    items(
      'builtin',
      {
        of: 'apparmor, label and systempaths with a profile',
        reason: 'the built-in engine sets none of these',
        hint: 'no-new-privileges and seccomp=unconfined are possible',
      },
      (value: string) => !known.test(value) && !ownProfile.test(value),
    ),
  ],
};

export const securityAttributes = {cap_add, cap_drop, security_opt} as const;
