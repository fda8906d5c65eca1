/** Docker Compose's labels, written for interoperability: other tools find and manage our containers by them. */
export const composeLabels = {
  project: 'com.docker.compose.project',
  service: 'com.docker.compose.service',
  containerNumber: 'com.docker.compose.container-number',
  oneOff: 'com.docker.compose.oneoff',
  configHash: 'com.docker.compose.config-hash',
  image: 'com.docker.compose.image',
  dependsOn: 'com.docker.compose.depends_on',
  version: 'com.docker.compose.version',
  slug: 'com.docker.compose.slug',
  replace: 'com.docker.compose.replace',
  workingDirectory: 'com.docker.compose.project.working_dir',
  configFiles: 'com.docker.compose.project.config_files',
  environmentFile: 'com.docker.compose.project.environment_file',
  network: 'com.docker.compose.network',
  volume: 'com.docker.compose.volume',
} as const;

/** Our own labels. Values are versioned. */
export const tscomposeLabels = {
  /** What a container, network or volume was made from: `{"v":1,…}`, only what the stack file stated. */
  spec: 'io.tscompose.spec',
} as const;
