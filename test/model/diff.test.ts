import {describe, expect, it} from 'vitest';
import {diffProjects} from '../../src/model/diff.ts';
import {diffText} from '../../src/model/diff-text.ts';
import type {Project} from '../../src/model/types.ts';
import {load} from './memory-files.ts';

const base = `
services:
  web:
    image: nginx:\${TAG:-1}
    ports: ["8080:80"]
    environment: {MODE: dev, URL: "postgres://app:\${PASSWORD}@db/shop", API_TOKEN: "\${PASSWORD}"}
    secrets: [key]
    command: [a, b]
  db: {image: "postgres:17", mem_limit: 256m}
volumes: {}
secrets: {key: {file: ./key.txt}}
`;
const production = `
services:
  web:
    ports: !override ["80:80"]
    environment: {MODE: production}
    volumes: ["data:/data"]
    command: [a, c]
    deploy: {replicas: 3, resources: {limits: {memory: 512m, cpus: "1"}}}
  db: {mem_limit: 2g}
  cache: {image: redis}
volumes: {data: }
secrets: {key: {file: ./production.txt}}
`;
const files = {
  '/stack/compose.yaml': base,
  '/stack/compose.production.yaml': production,
  '/stack/.env.production': 'TAG=2\nPASSWORD=hidden-one\n',
  '/stack/.env.staging': 'PASSWORD=hidden-two\n',
  '/stack/key.txt': 'x',
};

async function stage(name: string): Promise<Project> {
  return (await load(files, {stage: name, allResources: true})).project;
}

describe('two environments compared', () => {
  it('by risk, the gravest first, secrets masked', async () => {
    const differences = diffProjects(await stage('staging'), await stage('production'));
    const text = diffText(differences, {before: 'staging', after: 'production'});
    expect(text).not.toMatch(/hidden/);
    expect(JSON.stringify(differences)).not.toMatch(/hidden/);
    expect(text).toBe(`- staging
+ production

services
  services.cache
    + {"image":"redis","networks":{"default":null}}

images
  services.web.image
    - nginx:1
    + nginx:2

ports and exposure
  services.web.ports[80/tcp].published
    - 8080
    + 80

volumes and data
  services.web.volumes[/data]
    + {"type":"volume","source":"data","target":"/data","volume":{}}
  volumes.data
    + {"name":"PROJECT_data"}

secrets and configs
  secrets.key
    ! missing: the file /stack/production.txt is not there
  secrets.key.file
    - /stack/key.txt
    + /stack/production.txt

replicas
  services.web.deploy.replicas
    + 3

limits
  services.db.mem_limit
    - 256 MiB
    + 2 GiB
  services.web.deploy.resources.limits.cpus
    + 1
  services.web.deploy.resources.limits.memory
    + 512 MiB

everything else
  services.web.command
    - ["a","b"]
    + ["a","c"]
  services.web.environment.API_TOKEN
    ! not the same, and secret: ********
  services.web.environment.MODE
    - dev
    + production
  services.web.environment.URL
    ! not the same, and secret: postgres://app:********@db/shop
`);
  });

  it('tells what widens the rights of a service before what else is different', async () => {
    const project = async (more: string): Promise<Project> =>
      (await load({'/stack/compose.yaml': `services: {web: {image: nginx, ${more}}}`})).project;
    const differences = diffProjects(
      await project('user: "1000", cap_drop: [ALL], hostname: a'),
      await project('privileged: true, pid: host, hostname: b'),
    );
    expect(diffText(differences, {before: 'a', after: 'b'})).toBe(`- a
+ b

rights and isolation
  services.web.cap_drop
    - ["ALL"]
  services.web.pid
    + host
  services.web.privileged
    + true
  services.web.user
    - 1000

everything else
  services.web.hostname
    - a
    + b
`);
  });

  it('says that nothing differs', async () => {
    const same = diffProjects(await stage('staging'), await stage('staging'));
    expect(same).toEqual([]);
    expect(diffText(same, {before: 'a', after: 'b'})).toBe('a and b are the same\n');
  });
});
