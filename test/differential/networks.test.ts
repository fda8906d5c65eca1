import {networks} from './cases/things.ts';
import {compareWithDocker} from './compare-with-docker.ts';

compareWithDocker('networks', networks);
