import type {Service} from '../types.ts';
import type {Attribute} from './attribute.ts';
import {blockIoAttributes} from './block-io.ts';
import {buildAttributes} from './build.ts';
import {cpuAttributes} from './cpu.ts';
import {dependencyAttributes} from './dependencies.ts';
import {deployAttributes} from './deploy.ts';
import {developAttributes} from './develop.ts';
import {deviceAttributes} from './devices.ts';
import {environmentAttributes} from './environment.ts';
import {fileAttributes} from './files.ts';
import {hookAttributes} from './hooks.ts';
import {labelFileAttributes} from './label-file.ts';
import {linkAttributes} from './links.ts';
import {memoryAttributes} from './memory.ts';
import {namespaceAttributes} from './namespaces.ts';
import {networkAttributes} from './networks.ts';
import {outsideAttributes} from './outside.ts';
import {portAttributes} from './ports.ts';
import {processAttributes} from './process.ts';
import {resourceAttributes} from './resources.ts';
import {securityAttributes} from './security.ts';
import {volumeAttributes} from './volumes.ts';

/** Members of a service that are attributes of the stack file; `extensions` gathers its `x-` members. */
export type AttributeName = Exclude<keyof Service, 'extensions'>;

type Rows = {readonly [K in AttributeName]-?: Attribute<Exclude<Service[K], undefined>>};

/** What a service may say, a row an attribute. */
const serviceAttributes = {
  ...processAttributes,
  ...environmentAttributes,
  ...portAttributes,
  ...volumeAttributes,
  ...networkAttributes,
  ...dependencyAttributes,
  ...developAttributes,
  ...resourceAttributes,
  ...cpuAttributes,
  ...memoryAttributes,
  ...blockIoAttributes,
  ...deviceAttributes,
  ...deployAttributes,
  ...namespaceAttributes,
  ...securityAttributes,
  ...fileAttributes,
  ...linkAttributes,
  ...hookAttributes,
  ...labelFileAttributes,
  ...outsideAttributes,
  ...buildAttributes,
} satisfies Rows;

/** The rows by name, for programs that walk the table. */
export const attributeTable: ReadonlyMap<string, Attribute<unknown>> = new Map(
  Object.entries(serviceAttributes as unknown as Readonly<Record<string, Attribute<unknown>>>),
);
