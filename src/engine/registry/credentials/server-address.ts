/** Docker Hub's key in files of credentials. */
const hubKey = 'https://index.docker.io/v1/';

/** The key that a registry's credentials are kept under, as Docker does. */
export function credentialKey(registry: string): string {
  return registry === 'docker.io' ? hubKey : registry;
}

/** A registry by any of the ways in which people and old files write it: `https://localhost:5000/v1/`, `docker.io`. */
export function registryOfAddress(address: string): string {
  const host = address.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return ['', 'docker.io', 'index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com'].includes(host)
    ? 'docker.io'
    : host;
}
