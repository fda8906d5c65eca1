import {lives} from './cases/states.ts';
import {compareWithDocker} from './compare-with-docker.ts';

compareWithDocker('lives', lives);
