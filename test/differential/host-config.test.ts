import {hostConfigCases} from './cases/host-config.ts';
import {compareWithDocker} from './compare-with-docker.ts';

compareWithDocker('host-config', hostConfigCases);
