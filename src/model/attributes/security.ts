import type {Service} from '../types.ts';
import type {Attribute} from './attribute.ts';
import {itself} from './process.ts';
import {list, refine, text, wrong} from './readers.ts';

type Row<K extends keyof Service> = Attribute<Exclude<Service[K], undefined>>;

const capability = refine(text, (value, node, context) =>
  /^[A-Za-z_]+$/.test(value)
    ? value
    : wrong(node, context, {message: `"${value}" is no capability`, hint: 'write a name like NET_ADMIN, or ALL'}),
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
const option = refine(text, (value, node, context) => {
  if (/^(?:no-new-privileges(?:[:=](?:true|false))?|seccomp[:=]unconfined)$/.test(value)) return value;
  if (/^(?:seccomp|apparmor|label|systempaths|no-new-privileges)(?:[:=]|$)/.test(value)) {
    const hint = 'no-new-privileges and seccomp=unconfined are';
    return wrong(node, context, {
      kind: 'unsupported',
      code: 'unsupported',
      message: `"${value}" is not supported yet`,
      hint,
    });
  }
  return wrong(node, context, {
    message: `"${value}" is no security option`,
    hint: 'the options are no-new-privileges:true and seccomp=unconfined',
  });
});

const security_opt: Row<'security_opt'> = {
  merge: {unique: itself},
  read: list(option),
  lower: (value, {host}) => {
    host.SecurityOpt = value;
  },
  change: 'recreate',
};

export const securityAttributes = {cap_add, cap_drop, security_opt} as const;
