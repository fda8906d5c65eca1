import type {ImageManifestSummary, ImageSummary} from '../api/types/image.ts';
import {shortId} from './image-name.ts';
import {humanSize} from './size.ts';
import {formatTable} from './table.ts';

const header = ['IMAGE', 'ID', 'DISK USAGE', 'CONTENT SIZE', 'IN USE'];

/** Images with their platforms below them, as "docker image ls --tree". What is attested of them is left out. */
export function imageTree(images: readonly ImageSummary[], columns: number | undefined): string {
  const rows = images.flatMap((image) => [...imageRows(image), ...platformRows(platformsOf(image))]);
  return formatTable(header, rows, {columns, drop: ['CONTENT SIZE', 'IN USE', 'ID'], cut: {IMAGE: 20}});
}

function platformsOf({Manifests = []}: ImageSummary): readonly ImageManifestSummary[] {
  return Manifests.filter(({Kind}) => Kind === 'image');
}

/** A line for each of its names; the first one says the rest. */
function imageRows(image: ImageSummary): readonly (readonly string[])[] {
  const [first = '<untagged>', ...more] = image.RepoTags.length > 0 ? image.RepoTags : image.RepoDigests;
  const all = image.Manifests ?? [];
  const content = all.reduce((sum, {Size}) => sum + Size.Content, 0);
  const unpacked = all.reduce((sum, {ImageData}) => sum + (ImageData?.Size.Unpacked ?? 0), 0);
  const total = all.length === 0 ? image.Size : content + unpacked;
  const isUsed = all.some((manifest) => isInUse(manifest));
  return [
    [first, shortId(image.Id), humanSize(total), humanSize(content), isUsed ? 'yes' : ''],
    ...more.map((name) => [name, '', '', '', '']),
  ];
}

function platformRows(platforms: readonly ImageManifestSummary[]): readonly (readonly string[])[] {
  return platforms.map((manifest, index) => {
    const {os = 'unknown', architecture = 'unknown', variant} = manifest.ImageData?.Platform ?? {};
    const platform = [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');
    const branch = index === platforms.length - 1 ? '└─' : '├─';
    if (!manifest.Available) return [`${branch} ${platform}`, shortId(manifest.ID), 'not here', '', ''];
    const {Total, Content} = manifest.Size;
    return [
      `${branch} ${platform}`,
      shortId(manifest.ID),
      humanSize(Total),
      humanSize(Content),
      isInUse(manifest) ? 'yes' : '',
    ];
  });
}

function isInUse({ImageData}: ImageManifestSummary): boolean {
  return (ImageData?.Containers.length ?? 0) > 0;
}
