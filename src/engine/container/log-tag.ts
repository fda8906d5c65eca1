import {TscomposeError} from '../../base/errors.ts';

/** What a tag's template can name, as Docker calls it. */
export interface TagSource {
  readonly id: string;
  readonly name: string;
  readonly imageId: string;
  readonly imageName: string;
}

const shortLength = 12;

/** Docker names itself so, and what reads logs looks for it. */
const daemonName = 'docker';

const fields: Readonly<Record<string, (source: TagSource) => string>> = {
  ID: ({id}) => id.slice(0, shortLength),
  FullID: ({id}) => id,
  Name: ({name}) => name,
  ImageID: ({imageId}) => imageId.slice(0, shortLength),
  ImageFullID: ({imageId}) => imageId,
  ImageName: ({imageName}) => imageName,
  DaemonName: () => daemonName,
  ContainerID: ({id}) => id,
  ContainerName: ({name}) => `/${name}`,
  ContainerImageID: ({imageId}) => imageId,
  ContainerImageName: ({imageName}) => imageName,
};

/** Text and fields, in turn. */
type Part = string | ((source: TagSource) => string);

/** Throws `invalid` for what no tag can be, `unsupported` for other things that Go's templates can say. */
export function parseTag(template: string): readonly Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (let open = template.indexOf('{{'); open >= 0; open = template.indexOf('{{', at)) {
    const close = template.indexOf('}}', open);
    if (close < 0) throw new TscomposeError('invalid', `the log tag "${template}" has an unclosed action`);
    parts.push(template.slice(at, open), parseField(template.slice(open + 2, close), template));
    at = close + 2;
  }
  return [...parts, template.slice(at)];
}

function parseField(action: string, template: string): Part {
  const name = /^\s*\.(\w+)\s*$/.exec(action)?.[1];
  if (name === undefined)
    throw new TscomposeError('unsupported', `this engine does not support "{{${action}}}" in a log tag`, {
      hint: `it knows ${Object.keys(fields)
        .map((field) => `{{.${field}}}`)
        .join(', ')}`,
    });
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (field === undefined)
    throw new TscomposeError('invalid', `the log tag "${template}" names a field that there is not: ${name}`);
  return field;
}

export function expandTag(template: string, source: TagSource): string {
  return parseTag(template)
    .map((part) => (typeof part === 'string' ? part : part(source)))
    .join('');
}
