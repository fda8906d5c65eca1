import {volumes} from './cases/things.ts';
import {compareWithDocker} from './compare-with-docker.ts';

compareWithDocker('volumes', volumes);
