import type {ImageSummary} from '../api/types/image.ts';
import {shortId, splitName} from './image-name.ts';
import {humanDuration} from './relative-time.ts';
import type {Row} from './row-template.ts';
import {humanSize, usedSize} from './size.ts';

/** Fields of a row and their titles, as Docker names them. */
export const imageTitles = {
  Repository: 'REPOSITORY',
  Tag: 'TAG',
  Digest: 'DIGEST',
  ID: 'IMAGE ID',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  Size: 'SIZE',
  SharedSize: 'SHARED SIZE',
  UniqueSize: 'UNIQUE SIZE',
  VirtualSize: 'SIZE',
  Containers: 'CONTAINERS',
} as const;

const none = '<none>';

export type ImageFields = {readonly [K in keyof typeof imageTitles]: string} & Row;

/** A row for each of its names. */
export function imageRows(
  image: ImageSummary,
  {withDigests, now, ...flags}: {readonly withDigests: boolean; readonly now: number; readonly 'no-trunc': boolean},
): readonly ImageFields[] {
  const common = {
    ID: flags['no-trunc'] ? image.Id : shortId(image.Id),
    CreatedSince: image.Created <= 0 ? 'N/A' : `${humanDuration(now / 1000 - image.Created)} ago`,
    CreatedAt: `${new Date(image.Created * 1000).toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`,
    Size: humanSize(image.Size),
    SharedSize: image.SharedSize < 0 ? 'N/A' : usedSize(image.SharedSize),
    UniqueSize: image.SharedSize < 0 ? 'N/A' : usedSize(image.Size - image.SharedSize),
    VirtualSize: usedSize(image.Size),
    Containers: image.Containers < 0 ? 'N/A' : String(image.Containers),
  };
  return namesOf(image, withDigests).map((name) => ({...name, ...common}));
}

interface Name {
  readonly Repository: string;
  readonly Tag: string;
  readonly Digest: string;
}

/** A row a tag; with digests one for each of the same repository. What has only digests has a row for each repository. */
function namesOf({RepoTags, RepoDigests}: ImageSummary, withDigests: boolean): readonly Name[] {
  const digests = RepoDigests.map((text) => {
    const at = text.indexOf('@');
    return {Repository: text.slice(0, at), Digest: text.slice(at + 1)};
  });
  const tags = RepoTags.map((text) => {
    const {repository, tag = 'latest'} = splitName(text);
    return {Repository: repository, Tag: tag};
  });
  const untagged = digests.filter(({Repository}) => !tags.some((tag) => tag.Repository === Repository));
  const named = [
    ...tags.flatMap((tag) => {
      const own = withDigests ? digests.filter(({Repository}) => Repository === tag.Repository) : [];
      return own.length === 0 ? [{...tag, Digest: none}] : own.map(({Digest}) => ({...tag, Digest}));
    }),
    ...untagged.map((digest) => ({...digest, Tag: none})),
  ];
  return named.length === 0 ? [{Repository: none, Tag: none, Digest: none}] : named;
}
