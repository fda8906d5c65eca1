import {system} from './cases/lists.ts';
import {compareWithDocker} from './compare-with-docker.ts';

compareWithDocker('system', system);
