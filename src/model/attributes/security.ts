import {TscomposeError} from '../../base/errors.ts';
import {didYouMean} from '../../base/suggest.ts';
import type {Service} from '../types.ts';
import type {Attribute, LowerContext} from './attribute.ts';
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
  /^(?:seccomp|apparmor|label|systempaths|no-new-privileges|writable-cgroups|credentialspec)(?:[:=]|$)/.test(value)
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
            'writable-cgroups',
          ]) ??
          'the options are no-new-privileges:true, seccomp=…, apparmor=…, label=…, systempaths=unconfined and writable-cgroups:true',
      }),
);

/** The path of a seccomp profile that an option names, as it is written. */
export function ownProfile(option: string): string | undefined {
  return /^seccomp[:=](?!(?:unconfined|builtin)?$)(.*)$/s.exec(option)?.[1];
}

/** It is for programs that talk to an engine to turn this into empty lists of paths, as Compose does. */
const unconfinedPaths = 'systempaths=unconfined';

/** With the content of a profile in place of its name. */
function withProfile(option: string, {project, serviceName}: LowerContext): string {
  const path = ownProfile(option);
  if (path === undefined) return option;
  const profile = project.seccompProfiles?.[path];
  if (profile !== undefined) return `seccomp=${profile.content}`;
  throw new TscomposeError(
    'notFound',
    `services.${serviceName}.security_opt: cannot read the seccomp profile "${path}"`,
    {
      hint: 'create the file, or correct the path behind "seccomp="',
    },
  );
}

const security_opt: Row<'security_opt'> = {
  read: list(option),
  // Another content is another profile.
  spec: (value, {project}) => {
    const stated = value.map((option) => {
      const digest = project.seccompProfiles?.[ownProfile(option) ?? '']?.digest;
      return digest === undefined ? option : `${option}@${digest}`;
    });
    return stated.length === 0 ? undefined : stated;
  },
  lower: (value, {host}, context) => {
    const options = value.filter((option) => option !== unconfinedPaths).map((option) => withProfile(option, context));
    if (options.length > 0) host.SecurityOpt = [...(host.SecurityOpt ?? []), ...options];
    if (!value.includes(unconfinedPaths)) return;
    host.MaskedPaths = [];
    host.ReadonlyPaths = [];
  },
  change: 'recreate',
};

export const securityAttributes = {cap_add, cap_drop, security_opt} as const;
