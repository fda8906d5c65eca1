/** Labels on containers, networks and volumes. Compose's are written for other tools and for discovery; ours decide. */
export const composeLabels = {
  project: 'com.docker.compose.project',
  service: 'com.docker.compose.service',
  version: 'com.docker.compose.version',
  workingDir: 'com.docker.compose.project.working_dir',
  configFiles: 'com.docker.compose.project.config_files',
  environmentFile: 'com.docker.compose.project.environment_file',
  oneOff: 'com.docker.compose.oneoff',
  configHash: 'com.docker.compose.config-hash',
  containerNumber: 'com.docker.compose.container-number',
  dependsOn: 'com.docker.compose.depends_on',
  image: 'com.docker.compose.image',
  /** On a container made to replace another one: that one's name. */
  replace: 'com.docker.compose.replace',
  slug: 'com.docker.compose.slug',
  network: 'com.docker.compose.network',
  volume: 'com.docker.compose.volume',
} as const;

/** Whether `run` made it: then it is nobody's replica. */
export function isOneOff(labels: Readonly<Record<string, string>> | null | undefined): boolean {
  return labels?.[composeLabels.oneOff] === 'True';
}

/** What a container, network or volume was made from: `{"v":1,…}`, the canonical values that the stack file stated. */
export const specLabel = 'io.tscompose.spec';

/** Asks the built-in engine to end and start a container whose health check fails, as if it had failed itself: `true`. */
export const restartUnhealthyLabel = 'io.tscompose.restart-unhealthy';

/** On volumes without a name in the stack file, beside the project's label: they go with `down --volumes`. */
export const anonymousVolumeLabel = 'io.tscompose.anonymous';
