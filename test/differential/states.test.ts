import {states} from './cases/states.ts';
import {compareWithDocker} from './compare-with-docker.ts';

compareWithDocker('states', states);
