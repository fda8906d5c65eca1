import {mountCases} from './cases/mounts.ts';
import {compareWithDocker} from './compare-with-docker.ts';

compareWithDocker('mounts', mountCases);
