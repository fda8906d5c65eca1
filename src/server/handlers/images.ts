import type {Handlers} from '../../api/endpoint.ts';
import type {imageEndpoints} from '../../api/endpoints/images.ts';
import {checkFilters, knownFilters} from '../../api/filters.ts';
import {parseRegistryAuth} from '../../api/registry-auth.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {Engine} from '../../engine/engine.ts';
import type {PullOptions} from '../../engine/registry/registry.ts';

export function imageHandlers({images, registry}: Engine): Handlers<typeof imageEndpoints> {
  return {
    imagePrune: ({query}) => images.prune(query.filters),
    imageList: async ({query}) => {
      checkFilters(query.filters, knownFilters.images);
      return images.list(query.filters, {manifests: query.manifests ?? false});
    },
    imageInspect: ({path, query}) => images.inspect(path.name, query.platform),
    imageHistory: ({path, query}) => images.history(path.name, query.platform),
    imageSave: async ({query, signal}) => ({
      contentType: 'application/x-tar',
      bytes: await images.save(query.names ?? [], {platform: query.platform, signal}),
    }),
    imageSaveOne: async ({path, query, signal}) => ({
      contentType: 'application/x-tar',
      bytes: await images.save([path.name], {platform: query.platform, signal}),
    }),
    imageLoad: async ({query, body, signal}) =>
      images.load(query.path === undefined || query.path === '' ? body : {path: query.path}, {
        platform: query.platform,
        signal,
      }),
    imageCreate: async ({query, headers, body, signal}) => {
      if (query.fromImage !== undefined && query.fromImage !== '') {
        return registry.pull(pullOptions({...query, fromImage: query.fromImage}, headers.registryAuth), signal);
      }
      if (query.fromSrc === undefined || query.fromSrc === '') {
        throw new TscomposeError('invalid', 'neither an image to pull nor a source to import is given');
      }
      const options = {
        ...(query.repo === undefined || query.repo === '' ? {} : {repository: query.repo}),
        ...(query.tag === undefined || query.tag === '' ? {} : {tag: query.tag}),
        ...(query.message === undefined ? {} : {message: query.message}),
        ...(query.changes === undefined ? {} : {changes: query.changes}),
        ...(query.platform === undefined ? {} : {platform: query.platform}),
      };
      if (query.fromSrc === '-') return images.import(body, options, signal);
      return images.importFrom(withScheme(query.fromSrc), options, signal);
    },
    imageTag: async ({path, query}) => {
      if (query.repo === undefined || query.repo === '') {
        throw new TscomposeError('invalid', `cannot tag image "${path.name}": no repository is given`);
      }
      return images.tag(path.name, {
        repository: query.repo,
        tag: query.tag === undefined || query.tag === '' ? 'latest' : query.tag,
      });
    },
    // `noprune` keeps images below without a name: here an image has none below, only layers.
    imageDelete: ({path, query}) =>
      images.remove(path.name, {force: query.force ?? false, platforms: query.platforms ?? []}),
  };
}

/** As Docker completes it. */
function withScheme(address: string): string {
  return address.includes('://') ? address : `http://${address}`;
}

/** A tag may be a digest, and stands in its own parameter or in the name; with neither, all tags are meant. */
function pullOptions(
  query: {
    readonly fromImage: string;
    readonly tag?: string | undefined;
    readonly platform?: string | undefined;
    readonly allPlatforms?: boolean | undefined;
  },
  registryAuth: string | undefined,
): PullOptions {
  const {fromImage, tag} = query;
  const auth = parseRegistryAuth(registryAuth);
  const platform = query.platform === '' ? undefined : query.platform;
  const allPlatforms = query.allPlatforms ?? false;
  if (tag !== undefined && tag !== '') {
    // As Docker does: it counts more than one that stands in the name.
    const name = fromImage.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
    return {reference: `${name}${tag.includes(':') ? '@' : ':'}${tag}`, platform, allPlatforms, auth};
  }
  const allTags = !/[:@]/.test(fromImage.slice(fromImage.lastIndexOf('/') + 1));
  return {reference: fromImage, allTags, platform, allPlatforms, auth};
}
