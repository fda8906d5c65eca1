import {volumes} from './cases/volumes.ts';
import {compareWithDocker} from './compare-with-docker.ts';

compareWithDocker('volumes', volumes);
