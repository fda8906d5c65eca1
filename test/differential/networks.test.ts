import {networks} from './cases/networks.ts';
import {compareWithDocker} from './compare-with-docker.ts';

compareWithDocker('networks', networks);
