import {memoryCases} from './cases/mounts.ts';
import {compareWithDocker} from './compare-with-docker.ts';

compareWithDocker('memory', memoryCases);
